/**
 * The way to AWS for one run: credentials loaded once, connections opened ahead, and for each source the way in which
 * its services are asked: directly, or by a client of the SDK where there is no direct endpoint. Made cheaply; nothing
 * is asked of anybody before it is needed.
 */
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Context } from "../context.ts";
import { step } from "../context.ts";
import { eventLoopTurn } from "../event-loop.ts";
import { loadCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import type { Caller } from "./direct/call.ts";
import { Clock } from "./direct/clock.ts";
import { directObject, directService } from "./direct/endpoint.ts";
import { checkEndpoints } from "./endpoints.ts";
import { Network } from "./network.ts";
import { FIRST_GUESS, regionOfKey, resolveRegion } from "./region.ts";
import type { Region } from "./region.ts";

/** What of a source decides the region. */
export interface Located {
  readonly bucket: string;
  readonly region?: string;
}

/** A source as far as its endpoint is decided by it. */
export interface LocatedObject extends Located {
  readonly key: string;
}

/** A service's URL, and what it takes to sign for it. */
export interface Direct {
  readonly url: URL;
  readonly caller: Caller;
}

export class AwsSession {
  readonly network: Network;
  readonly #context: Context;
  readonly #key: string | undefined;
  readonly #clock = new Clock();
  readonly #regions = new Map<string, Region>();
  readonly #s3 = new Map<string, S3Client>();
  readonly #kms = new Map<string, KMSClient>();
  #credentials: Promise<Credentials> | undefined;

  /** @throws "config" where an endpoint or the CA bundle of the environment cannot be used */
  constructor(context: Context, key: string | undefined) {
    checkEndpoints(context);
    this.#context = context;
    this.#key = key;
    this.network = new Network(context);
  }

  /**
   * Finds the region of each source, asks for the credentials, and opens the connections. Resolves when all that is on
   * its way: what else there is to do can be done meanwhile.
   *
   * @param use what the connections are for: only reading has a direct way
   */
  async begin(refs: readonly LocatedObject[], use: "reading" | "writing" = "reading"): Promise<void> {
    for (const ref of refs) {
      const region = await step(
        this.#context,
        "region",
        ref.bucket,
        async () => (await resolveRegion(this.#context, ref.region, this.#key, this.network)) ?? FIRST_GUESS,
        ({ name, from }) => `${name} (from ${from})`,
      );
      this.#regions.set(ref.bucket, region);
    }
    const first = refs[0] === undefined ? undefined : this.#regions.get(refs[0].bucket)?.name;
    // A failure is for those who wait for the credentials; nobody may do so yet.
    this.credentials(first).catch(() => undefined);
    // The way to them is the longest: the first request for them leaves before anything else is begun.
    await eventLoopTurn();
    for (const ref of refs) await this.#warm(ref, use);
    await eventLoopTurn();
  }

  /** @param region for sources of credentials that ask STS, where this is the first call */
  credentials(region?: string): Promise<Credentials> {
    this.#credentials ??= step(
      this.#context,
      "credentials",
      "AWS",
      () => loadCredentials(this.#context, this.network, region),
      (credentials) => credentials.source,
    );
    return this.#credentials;
  }

  /** The region of the first source, for services that answer anywhere. */
  anyRegion(): string {
    return [...this.#regions.values()][0]?.name ?? FIRST_GUESS.name;
  }

  region(ref: Located): Region {
    return this.#regions.get(ref.bucket) ?? FIRST_GUESS;
  }

  s3Region(ref: Located): string {
    return this.region(ref).name;
  }

  /** S3 said that the bucket is elsewhere. */
  moveBucket(ref: Located, region: string): void {
    this.#regions.set(ref.bucket, { name: region, from: "S3's redirect" });
  }

  /** The direct way to an object; undefined: only the SDK knows where it is. */
  async directObject(ref: LocatedObject): Promise<Direct | undefined> {
    const region = this.s3Region(ref);
    const url = directObject(ref.bucket, ref.key, region, this.#context.env);
    return url === undefined ? undefined : { url, caller: await this.#caller(region) };
  }

  /** The direct way to the KMS that opens the source's key; undefined: only the SDK knows where it is. */
  async directKms(ref: Located): Promise<Direct | undefined> {
    const region = this.kmsRegion(ref);
    const url = directService("kms", region, this.#context.env);
    return url === undefined ? undefined : { url, caller: await this.#caller(region) };
  }

  async s3(ref: Located): Promise<S3Client> {
    const region = this.s3Region(ref);
    const credentials = await this.credentials(region);
    const agents = await this.network.agents();
    const { createS3Client } = await import("./clients.ts");
    return getOrMake(this.#s3, region, () => createS3Client(region, credentials, agents, this.#context.env));
  }

  /** The client for the configured key, or where that names no region, for the bucket's region. */
  async kms(ref: Located): Promise<KMSClient> {
    const region = this.kmsRegion(ref);
    const credentials = await this.credentials(region);
    const agents = await this.network.agents();
    const { createKmsClient } = await import("./clients.ts");
    return getOrMake(this.#kms, region, () =>
      createKmsClient(region, credentials, agents, this.#context.env),
    );
  }

  kmsRegion(ref: Located): string {
    return regionOfKey(this.#key) ?? this.s3Region(ref);
  }

  async #caller(region: string): Promise<Caller> {
    const { identity } = await this.credentials(region);
    return { wires: this.network.wires, identity, clock: this.#clock, region };
  }

  async #warm(ref: LocatedObject, use: "reading" | "writing"): Promise<void> {
    const { env } = this.#context;
    const urls = [
      directObject(ref.bucket, ref.key, this.s3Region(ref), env),
      directService("kms", this.kmsRegion(ref), env),
    ];
    if (use === "reading") {
      for (const url of urls) if (url !== undefined) this.network.wires.warm(url);
      return;
    }
    const agents = await this.network.agents();
    for (const url of urls) if (url !== undefined) agents.warm(url);
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
