/** One round's way to AWS: credentials once, connections ahead, services asked directly, or by the SDK. */
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import { step } from "../base/context.ts";
import type { Context } from "../base/context.ts";
import type { Environment } from "../base/env.ts";
import { eventLoopTurn } from "../base/event-loop.ts";
import { Network } from "../http/network.ts";
import type { Direct } from "./call/call.ts";
import type { ClientOf } from "./call/clients.ts";
import { Clock } from "./call/clock.ts";
import { loadCredentials } from "./credentials/chain.ts";
import type { ChosenSource, Credentials } from "./credentials/source.ts";
import { checkEndpoints, directService } from "./endpoint.ts";
import { regionOfKey, resolveRegion, unknownRegion } from "./region.ts";
import type { Region } from "./region.ts";

export interface Located {
  /** what has one region, known or still to be found: a bucket, or a service and the region that its URI names */
  readonly home: string;
  /** the one that its URI names */
  readonly region?: string;
}

export interface AwsNeed extends Located {
  /** nothing but to have a data key opened */
  readonly onlyKms?: boolean;
  /** the URLs that it will ask; undefined for one that only the SDK knows */
  urls(region: string, kmsRegion: string, env: Environment): readonly (URL | undefined)[];
}

type UrlIn = (region: string, env: Environment) => URL | undefined;

/** EC2 User Guide, "IAM roles for Amazon EC2": new ones are there five minutes before, at the latest. */
const REFRESH_AHEAD_MS = 5 * 60_000;

export class AwsSession {
  readonly network: Network;
  readonly #context: Context;
  readonly #key: string | undefined;
  readonly #chosen: (() => Promise<ChosenSource>) | undefined;
  readonly #clock: Clock;
  readonly #regions: Map<string, Region>;
  readonly #s3 = new Map<string, S3Client>();
  readonly #kms = new Map<string, KMSClient>();
  #credentials: Promise<Credentials> | undefined;
  #held: Credentials | undefined;

  /** @param before an earlier round's: its regions, clock and credentials are kept, not its connections */
  constructor(
    context: Context,
    key: string | undefined,
    chosen?: () => Promise<ChosenSource>,
    before?: AwsSession,
  ) {
    checkEndpoints(context.env);
    this.#clock = before === undefined ? new Clock() : before.#clock;
    this.#regions = new Map(before === undefined ? [] : before.#regions);
    this.#held = before === undefined ? undefined : before.#held;
    this.#context = context;
    this.#key = key;
    this.#chosen = chosen;
    this.network = new Network(context);
  }

  /** At its end credentials and connections are on their way. `use`: S3 is written to by the SDK's client. */
  async begin(needs: readonly AwsNeed[], use: "reading" | "writing" = "reading"): Promise<void> {
    const describe = ({ name, from }: Region): string => `${name} (from ${from})`;
    for (const { home, region } of needs) {
      if (this.#regions.has(home)) continue;
      const find = () => resolveRegion(this.#context, region, this.#key, this.network);
      this.#regions.set(home, await step(this.#context, "region", home, find, describe));
    }
    const first = needs[0] === undefined ? undefined : this.regionName(needs[0]);
    // A failure is for those who wait for the credentials; nobody may do so yet.
    this.credentials(first).catch(() => undefined);
    // The way to them is the longest: the first request for them leaves before anything else is begun.
    await eventLoopTurn();
    for (const need of needs) await this.#warm(need, use);
    await eventLoopTurn();
  }

  /** @param region for sources of credentials that ask STS, where this is the first call */
  credentials(region?: string): Promise<Credentials> {
    this.#credentials ??= this.#load(region);
    return this.#credentials;
  }

  /** They were refused: a later round asks for others. */
  forgetCredentials(): void {
    this.#held = undefined;
  }

  close(): void {
    this.network.close();
  }

  async #load(region: string | undefined): Promise<Credentials> {
    const held = this.#held;
    const leftMs = (held?.expiresAt ?? Infinity) - this.#clock.now().getTime();
    if (held !== undefined && leftMs > REFRESH_AHEAD_MS) return held;
    const regionForSts = async (): Promise<string> => region ?? (await this.anyRegion());
    const load = async (): Promise<Credentials> =>
      loadCredentials(this.#context, this.network, regionForSts, await this.#chosen?.());
    try {
      this.#held = await step(this.#context, "credentials", "AWS", load, ({ source }) => source);
      return this.#held;
    } catch (error) {
      // Whoever hands them out may be away for longer than a round, and the old ones are still good.
      if (held === undefined || leftMs <= 0) throw error;
      return held;
    }
  }

  /** The region of the first source, for services that answer anywhere. Rejects with "config" where none is known. */
  async anyRegion(): Promise<string> {
    const [known] = this.#regions.values();
    return (known ?? (await resolveRegion(this.#context, undefined, this.#key, this.network))).name;
  }

  regionName({ home }: Located): string {
    const region = this.#regions.get(home);
    if (region === undefined) throw unknownRegion();
    return region.name;
  }

  /** That of the configured key, or where it names none, of the source. */
  kmsRegion(ref: Located): string {
    return regionOfKey(this.#key) ?? this.regionName(ref);
  }

  moveBucket(ref: Located, region: string): void {
    this.#regions.set(ref.home, { name: region, from: "S3's redirect" });
  }

  /** The direct way to what a source reads; undefined: only the SDK knows where it is. */
  async direct(ref: Located, urlIn: UrlIn): Promise<Direct | undefined> {
    return this.#directIn(this.regionName(ref), urlIn);
  }

  /** The same to the KMS that opens its key. */
  async directKms(ref: Located): Promise<Direct | undefined> {
    return this.#directIn(this.kmsRegion(ref), (region, env) => directService("kms", region, env));
  }

  async #directIn(region: string, urlIn: UrlIn): Promise<Direct | undefined> {
    const url = urlIn(region, this.#context.env);
    if (url === undefined) return undefined;
    const { identity, settledAt = 0 } = await this.credentials(region);
    const unsettled = this.#context.now() < settledAt;
    return { url, caller: { network: this.network, identity, clock: this.#clock, region, unsettled } };
  }

  async s3(ref: Located): Promise<S3Client> {
    const { createS3Client } = await import("./call/clients.ts");
    return this.#client(this.#s3, this.regionName(ref), createS3Client);
  }

  async kms(ref: Located): Promise<KMSClient> {
    const { createKmsClient } = await import("./call/clients.ts");
    return this.#client(this.#kms, this.kmsRegion(ref), createKmsClient);
  }

  async #client<T>(made: Map<string, T>, region: string, create: ClientOf<T>): Promise<T> {
    const { identity } = await this.credentials(region);
    const agents = await this.network.agents();
    const client = made.get(region) ?? create({ region, identity, agents, env: this.#context.env });
    made.set(region, client);
    return client;
  }

  async #warm(need: AwsNeed, use: "reading" | "writing"): Promise<void> {
    const kmsRegion = this.kmsRegion(need);
    const kms = directService("kms", kmsRegion, this.#context.env);
    for (const url of need.urls(this.regionName(need), kmsRegion, this.#context.env)) {
      if (url === undefined) continue;
      if (use === "reading" || url.href === kms?.href) this.network.warm(url);
      else (await this.network.agents()).warm(url);
    }
  }
}
