/** The parameters of the loopback Systems Manager, and the switches that a test can turn. */
import type { Clock } from "./http.ts";

export type ParameterType = "String" | "StringList" | "SecureString";

export interface Parameter {
  readonly name: string;
  readonly arn: string;
  readonly region: string;
  readonly type: ParameterType;
  readonly value: string;
  readonly version: number;
  readonly keyId: string | undefined;
  readonly tier: string;
  readonly modified: number;
}

export interface ParameterOptions {
  readonly type?: ParameterType;
  readonly region?: string;
  readonly keyId?: string | undefined;
  readonly tier?: string;
}

export class ParameterStore {
  /** operations that are refused with AccessDeniedException */
  readonly denied = new Set<string>();
  /** what is wrong with the KMS key of all SecureStrings; undefined: nothing */
  keyTrouble: "denied" | "invalid" | undefined;
  /** of a path's parameters; AWS promises none */
  order: "by name" | "backwards" = "by name";
  readonly #clock: Clock;
  readonly #account: string;
  readonly #region: string;
  /** `REGION NAME` → parameter */
  readonly #parameters = new Map<string, Parameter>();

  constructor(clock: Clock, account: string, region: string) {
    this.#clock = clock;
    this.#account = account;
    this.#region = region;
  }

  deny(operation: string): void {
    this.denied.add(operation);
  }

  allow(operation: string): void {
    this.denied.delete(operation);
  }

  /** @param name with its path: /app/DB_HOST */
  put(name: string, value: string, options: ParameterOptions = {}): Parameter {
    const region = options.region ?? this.#region;
    const parameter: Parameter = {
      name,
      arn: `arn:aws:ssm:${region}:${this.#account}:parameter/${name.replace(/^\//u, "")}`,
      region,
      type: options.type ?? "SecureString",
      value,
      version: (this.get(name, region)?.version ?? 0) + 1,
      keyId: options.keyId,
      tier: options.tier ?? "Standard",
      modified: this.#clock.now(),
    };
    this.#parameters.set(`${region} ${name}`, parameter);
    return parameter;
  }

  get(name: string, region = this.#region): Parameter | undefined {
    return this.#parameters.get(`${region} ${name}`);
  }

  /** Whether it was there. */
  remove(name: string, region = this.#region): boolean {
    return this.#parameters.delete(`${region} ${name}`);
  }

  /** Below a path, deep or not, in their order. */
  below(path: string, recursive: boolean, region = this.#region): Parameter[] {
    const prefix = path.endsWith("/") ? path : `${path}/`;
    return [...this.#parameters.values()]
      .filter(
        (parameter) =>
          parameter.region === region &&
          parameter.name.startsWith(prefix) &&
          (recursive || !parameter.name.slice(prefix.length).includes("/")),
      )
      .sort((a, b) => (a.name < b.name === (this.order === "by name") ? -1 : 1));
  }
}
