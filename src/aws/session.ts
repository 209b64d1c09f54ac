/**
 * The way to AWS for one run: credentials loaded once, a client per region, connections opened ahead. Made cheaply;
 * nothing is asked of anybody before it is needed.
 */
import type { KMSClient } from "@aws-sdk/client-kms";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Context } from "../context.ts";
import { step } from "../context.ts";
import { Connections } from "./connections.ts";
import { loadCredentials } from "./credentials.ts";
import type { Credentials } from "./credentials.ts";
import { checkEndpoints, customEndpoint } from "./endpoints.ts";
import { FIRST_GUESS, regionOfKey, resolveRegion } from "./region.ts";
import type { Region } from "./region.ts";
import { defaultHosts } from "./hosts.ts";

/** What of a source decides the region. */
export interface Located {
  readonly bucket: string;
  readonly region?: string;
}

export class AwsSession {
  readonly connections: Connections;
  readonly #context: Context;
  readonly #key: string | undefined;
  readonly #regions = new Map<string, Region>();
  readonly #s3 = new Map<string, S3Client>();
  readonly #kms = new Map<string, KMSClient>();
  #credentials: Promise<Credentials> | undefined;

  /** @throws "config" where an endpoint or the CA bundle of the environment cannot be used */
  constructor(context: Context, key: string | undefined) {
    checkEndpoints(context);
    this.#context = context;
    this.#key = key;
    this.connections = new Connections(context);
  }

  /** Finds the region of each source, opens the connections, then loads the credentials. */
  async open(refs: readonly Located[]): Promise<Credentials> {
    for (const ref of refs) {
      const region = await step(
        this.#context,
        "region",
        ref.bucket,
        async () => (await resolveRegion(this.#context, ref.region, this.#key)) ?? FIRST_GUESS,
        ({ name, from }) => `${name} (from ${from})`,
      );
      this.#regions.set(ref.bucket, region);
      this.#warm(ref, region.name);
    }
    const first = refs[0] === undefined ? undefined : this.#regions.get(refs[0].bucket)?.name;
    return this.credentials(first);
  }

  credentials(region?: string): Promise<Credentials> {
    this.#credentials ??= step(
      this.#context,
      "credentials",
      "AWS",
      () => loadCredentials(this.#context, this.connections, region),
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

  async s3(ref: Located): Promise<S3Client> {
    const region = this.s3Region(ref);
    const { connections } = this;
    const credentials = await this.credentials(region);
    const { createS3Client } = await import("./clients.ts");
    return getOrMake(this.#s3, region, () =>
      createS3Client(region, credentials, connections, this.#context.env),
    );
  }

  /** The client for the configured key, or where that names no region, for the bucket's region. */
  async kms(ref: Located): Promise<KMSClient> {
    const region = this.kmsRegion(ref);
    const { connections } = this;
    const credentials = await this.credentials(region);
    const { createKmsClient } = await import("./clients.ts");
    return getOrMake(this.#kms, region, () =>
      createKmsClient(region, credentials, connections, this.#context.env),
    );
  }

  kmsRegion(ref: Located): string {
    return regionOfKey(this.#key) ?? this.s3Region(ref);
  }

  #warm(ref: Located, region: string): void {
    const { env } = this.#context;
    const standard = defaultHosts(ref.bucket, region, this.kmsRegion(ref));
    for (const service of ["s3", "kms"] as const) {
      const url = customEndpoint(service, env) ?? standard?.[service];
      if (url !== undefined) this.connections.warm(url);
    }
  }
}

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
