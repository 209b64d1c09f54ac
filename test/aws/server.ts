/** The loopback AWS: every service, its listeners, and what a test may see and turn. Nothing is shared between two. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { CallLog } from "./calls.ts";
import type { Call, Connection } from "./calls.ts";
import { ContainerService } from "./container.ts";
import { makeControl } from "./control.ts";
import { exchange } from "./exchange.ts";
import type { Engine } from "./exchange.ts";
import { Faults } from "./faults.ts";
import type { Gate } from "./faults.ts";
import { Clock } from "./http.ts";
import type { ListenerName, Request, Service, ServiceName } from "./http.ts";
import { IdentityStore } from "./identity.ts";
import type { AccessKey, Credentials } from "./identity.ts";
import { ImdsService } from "./imds.ts";
import { JsonService } from "./json-service.ts";
import { KmsService } from "./kms-api.ts";
import { KmsStore } from "./kms-store.ts";
import { Limits } from "./limits.ts";
import { Listener } from "./listener.ts";
import { ParametersApi } from "./parameters-api.ts";
import { ParameterStore } from "./parameters-store.ts";
import { routeByRequest } from "./route.ts";
import { S3Service } from "./s3-api.ts";
import { S3Store } from "./s3-store.ts";
import { SecretsApi } from "./secrets-api.ts";
import { SecretStore } from "./secrets-store.ts";
import { StsService } from "./sts.ts";
import { makeCertificate, serviceHosts } from "./tls.ts";
import type { TestCertificate } from "./tls.ts";

const LISTENERS = ["imds", "container", "s3", "kms", "sts", "secretsmanager", "ssm", "all"] as const;
/** The metadata address and the agents speak HTTP only. */
const TLS_LISTENERS: readonly ListenerName[] = ["s3", "kms", "sts", "secretsmanager", "ssm", "all"];

export interface AwsOptions {
  /** S3, KMS, STS, Secrets Manager, Systems Manager and `all` over TLS, or those listeners that are named */
  readonly tls?: boolean | readonly ListenerName[];
  /** the certificate's time is over */
  readonly expiredCertificate?: boolean;
  /** more names and addresses for the certificate */
  readonly certificateHosts?: readonly string[];
  /** where a listener is put: 127.0.0.1 by default */
  readonly hosts?: Partial<Record<ListenerName | "control", string>>;
  /** a free port by default */
  readonly ports?: Partial<Record<ListenerName | "control", number>>;
  /** long-lived keys of users; one is made up by default */
  readonly accessKeys?: readonly AccessKey[];
  /** us-east-1 by default */
  readonly region?: string;
  /** more regions in which KMS and STS answer */
  readonly regions?: readonly string[];
  readonly account?: string;
}

export type Endpoints = Readonly<Record<ListenerName | "control", string>>;

export async function startAws(options: AwsOptions = {}): Promise<Aws> {
  const certificate = options.tls === undefined || options.tls === false ? undefined : await certify(options);
  const aws = new Aws(options, certificate);
  try {
    await aws.open();
  } catch (error) {
    await aws.close();
    throw error;
  }
  return aws;
}

async function certify(options: AwsOptions): Promise<TestCertificate> {
  const regions = new Set([options.region ?? "us-east-1", "us-east-1", ...(options.regions ?? [])]);
  const addresses = Object.values(options.hosts ?? {}).filter((host) => host !== "0.0.0.0" && host !== "::");
  const hosts = new Set([...serviceHosts(regions), ...addresses, ...(options.certificateHosts ?? [])]);
  return makeCertificate([...hosts], { expired: options.expiredCertificate ?? false });
}

export class Aws {
  readonly region: string;
  readonly account: string;
  readonly identities: IdentityStore;
  /** the users' keys, those of the options or the one made up */
  readonly accessKeys: readonly Credentials[];
  readonly s3: S3Store;
  readonly kms: KmsStore;
  readonly secrets: SecretStore;
  readonly parameters: ParameterStore;
  readonly imds: ImdsService;
  readonly container: ContainerService;
  readonly sts: StsService;
  readonly faults: Faults;
  /** every request in order; the same array for ever */
  readonly calls: Call[];
  readonly connections: Connection[];
  /** PEM of the test authority, where there is TLS */
  readonly caFile: string | undefined;
  readonly #clock = new Clock();
  readonly #log = new CallLog();
  readonly #limits = new Limits();
  readonly #certificate: TestCertificate | undefined;
  readonly #listeners: ReadonlyMap<ListenerName | "control", Listener>;

  constructor(options: AwsOptions, certificate: TestCertificate | undefined) {
    this.region = options.region ?? "us-east-1";
    this.account = options.account ?? "111122223333";
    const regions = new Set([this.region, ...(options.regions ?? [])]);
    const clock = this.#clock;
    this.identities = new IdentityStore(clock, this.account);
    this.accessKeys = (options.accessKeys ?? [DEFAULT_KEY]).map((key) => this.identities.addAccessKey(key));
    this.s3 = new S3Store(clock, this.region);
    this.kms = new KmsStore(clock, this.account, this.region);
    this.secrets = new SecretStore(clock, this.account, this.region);
    this.parameters = new ParameterStore(clock, this.account, this.region);
    this.imds = new ImdsService(this.identities, clock, this.region);
    this.container = new ContainerService(this.identities, clock);
    this.sts = new StsService(this.identities, clock, regions);
    this.calls = this.#log.calls;
    this.connections = this.#log.connections;
    this.#certificate = certificate;
    this.caFile = certificate?.caFile;
    this.faults = new Faults(this.#gate());
    const services: Readonly<Record<ServiceName, Service>> = {
      imds: this.imds,
      container: this.container,
      sts: this.sts,
      s3: new S3Service(this.s3, this.identities, clock),
      kms: new KmsService(this.kms, this.identities, clock, regions),
      secretsmanager: new JsonService(new SecretsApi(this.secrets), this.identities, clock, regions),
      ssm: new JsonService(new ParametersApi(this.parameters), this.identities, clock, regions),
    };
    this.#listeners = this.#makeListeners(options, services);
  }

  get endpoints(): Endpoints {
    return Object.fromEntries([...this.#listeners].map(([name, { url }]) => [name, url])) as Endpoints;
  }

  /** How far the clock of AWS is ahead of this machine's. */
  get clockOffsetMs(): number {
    return this.#clock.offsetMs;
  }

  set clockOffsetMs(offsetMs: number) {
    this.#clock.offsetMs = offsetMs;
  }

  /** For a client that takes its credentials from IMDS. */
  env(): Record<string, string> {
    return { ...this.serviceEnv(), AWS_EC2_METADATA_SERVICE_ENDPOINT: this.endpoints.imds };
  }

  /** For a client in a container of EKS Pod Identity (or ECS, in the full-URI form). */
  containerEnv(): Record<string, string> {
    return {
      ...this.serviceEnv(),
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_CONTAINER_CREDENTIALS_FULL_URI: this.endpoints.container + this.container.path,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: this.container.token,
    };
  }

  /** For a client with a user's long-lived key. */
  keyEnv(): Record<string, string> {
    const [key] = this.accessKeys;
    return {
      ...this.serviceEnv(),
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ACCESS_KEY_ID: key?.accessKeyId ?? "",
      AWS_SECRET_ACCESS_KEY: key?.secretAccessKey ?? "",
    };
  }

  /** Endpoints, region and authority; no credentials. */
  serviceEnv(): Record<string, string> {
    const { s3, kms, sts, secretsmanager, ssm } = this.endpoints;
    return {
      AWS_ENDPOINT_URL_S3: s3,
      AWS_ENDPOINT_URL_KMS: kms,
      AWS_ENDPOINT_URL_STS: sts,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsmanager,
      AWS_ENDPOINT_URL_SSM: ssm,
      AWS_REGION: this.region,
      ...(this.caFile === undefined ? {} : { AWS_CA_BUNDLE: this.caFile }),
    };
  }

  count(service: ServiceName, operation?: string): number {
    return this.#log.count(service, operation);
  }

  resetCalls(): void {
    this.#log.reset();
  }

  /** Over so many requests a second: ThrottlingException, or SlowDown of S3. undefined: no limit. */
  limit(service: ServiceName, perSecond: number | undefined): void {
    this.#limits.limit(service, perSecond);
  }

  /** This part of the calls (0 to 1) fails with a server error. */
  errorRate(service: ServiceName, fraction: number): void {
    this.#limits.errorRate(service, fraction);
  }

  async open(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => listener.open()));
  }

  /** Ends every connection at once, and frees the ports. */
  async close(): Promise<void> {
    // One that cannot be opened again must not keep the others open.
    await Promise.allSettled([this.faults.clear()]);
    await Promise.all([...this.#listeners.values()].map((listener) => listener.close()));
    await this.#certificate?.remove();
  }

  #gate(): Gate {
    const find = (name: ListenerName): Listener | undefined => this.#listeners.get(name);
    return {
      close: async (name, how) => await (how === "refuse" ? find(name)?.shut() : find(name)?.hang()),
      open: async (name) => find(name)?.open(),
    };
  }

  #makeListeners(
    options: AwsOptions,
    services: Readonly<Record<ServiceName, Service>>,
  ): ReadonlyMap<ListenerName | "control", Listener> {
    const engine: Engine = {
      calls: this.#log,
      faults: this.faults,
      limits: this.#limits,
      clock: this.#clock,
      s3: this.s3,
    };
    const listeners = LISTENERS.map((name): [ListenerName, Listener] => {
      const route = (request: Request): Service => services[name === "all" ? routeByRequest(request) : name];
      const answer = (message: IncomingMessage, response: ServerResponse, raw: Socket): void =>
        void exchange(engine, route, { message, response, raw });
      return [name, this.#makeListener(options, name, answer)];
    });
    const controller = this.#makeListener(options, "control", makeControl(this));
    return new Map<ListenerName | "control", Listener>([...listeners, ["control", controller]]);
  }

  #makeListener(
    options: AwsOptions,
    name: ListenerName | "control",
    onRequest: (message: IncomingMessage, response: ServerResponse, raw: Socket) => void,
  ): Listener {
    const overTls = Array.isArray(options.tls) ? options.tls : TLS_LISTENERS;
    return new Listener({
      name,
      host: options.hosts?.[name] ?? "127.0.0.1",
      port: options.ports?.[name] ?? 0,
      tls: name !== "control" && overTls.includes(name) ? this.#certificate : undefined,
      onRequest,
      onConnection: () => {
        if (name === "control") return undefined;
        this.connections.push({ listener: name, time: Date.now() });
        return this.faults.onConnection(name);
      },
    });
  }
}

const DEFAULT_KEY: AccessKey = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
};
