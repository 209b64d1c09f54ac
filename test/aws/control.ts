/** POST /_control: what a test does through `Aws`, for a test in another process. One JSON command a request. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { FaultHandle, Rule } from "./faults.ts";
import type { ServiceName } from "./http.ts";
import type { KeyState } from "./kms-store.ts";
import type { Aws } from "./server.ts";

type Deniable = "s3" | "kms" | "sts" | "secretsmanager" | "ssm";

/** Bodies of objects are base64. */
export type Command =
  | { readonly do: "addFault"; readonly rule: Rule }
  | { readonly do: "removeFault" | "hits"; readonly fault: number }
  | { readonly do: "clearFaults" | "calls" | "resetCalls" | "credentials" }
  | { readonly do: "count"; readonly service: ServiceName; readonly operation?: string }
  | { readonly do: "limit"; readonly service: ServiceName; readonly perSecond?: number }
  | { readonly do: "errorRate"; readonly service: ServiceName; readonly fraction: number }
  | { readonly do: "clock"; readonly offsetMs: number }
  | {
      readonly do: "imds";
      readonly role?: string | null;
      readonly allowV1?: boolean;
      readonly extended?: boolean;
    }
  | {
      readonly do: "s3.put";
      readonly bucket: string;
      readonly key: string;
      readonly body: string;
      readonly metadata?: Readonly<Record<string, string>>;
    }
  | { readonly do: "s3.get"; readonly bucket: string; readonly key: string; readonly versionId?: string }
  | {
      readonly do: "s3.createBucket";
      readonly bucket: string;
      readonly region?: string;
      readonly versioning?: boolean;
    }
  | { readonly do: "s3.listAllowed"; readonly allowed: boolean }
  | { readonly do: "kms.createKey"; readonly alias?: string; readonly region?: string }
  | { readonly do: "kms.setState"; readonly key: string; readonly state: KeyState }
  | { readonly do: "deny" | "allow"; readonly service: Deniable; readonly operation: string }
  | { readonly do: "addWebToken"; readonly token: string; readonly expired?: boolean };

/** The handler of the control listener. It remembers the rules it added: `fault` is their number. */
export function makeControl(aws: Aws): (message: IncomingMessage, response: ServerResponse) => void {
  const handles: FaultHandle[] = [];
  return (message, response) => void control(aws, handles, message, response);
}

async function control(
  aws: Aws,
  handles: FaultHandle[],
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    if (message.method !== "POST" || message.url !== "/_control") throw new Error("POST /_control");
    const command = JSON.parse(Buffer.concat(chunks).toString("utf8")) as Command;
    answer(response, 200, (await perform(aws, handles, command)) ?? {});
  } catch (error) {
    answer(response, 400, { error: String(error) });
  }
}

function answer(response: ServerResponse, status: number, result: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(`${JSON.stringify(result)}\n`);
}

async function perform(aws: Aws, handles: FaultHandle[], command: Command): Promise<unknown> {
  switch (command.do) {
    case "addFault": {
      const handle = aws.faults.add(command.rule);
      await handle.ready;
      return { fault: handles.push(handle) - 1 };
    }
    case "removeFault":
      return handles[command.fault]?.remove();
    case "hits":
      return { hits: handles[command.fault]?.hits ?? 0 };
    case "clearFaults":
      return aws.faults.clear();
    case "calls":
      return aws.calls.map(({ headers, ...call }) => ({ ...call, headers: Object.fromEntries(headers) }));
    case "resetCalls":
      return aws.resetCalls();
    case "count":
      return { count: aws.count(command.service, command.operation) };
    case "limit":
      return aws.limit(command.service, command.perSecond);
    case "errorRate":
      return aws.errorRate(command.service, command.fraction);
    case "clock":
      aws.clockOffsetMs = command.offsetMs;
      return undefined;
    case "credentials":
      return aws.imds.credentials;
    case "imds":
      if (command.role !== undefined) aws.imds.role = command.role ?? undefined;
      aws.imds.allowV1 = command.allowV1 ?? aws.imds.allowV1;
      aws.imds.extended = command.extended ?? aws.imds.extended;
      return undefined;
    case "addWebToken":
      return aws.sts.addWebToken(command.token, { expired: command.expired ?? false });
    case "deny":
      return deniable(aws, command.service).deny(command.operation);
    case "allow":
      return deniable(aws, command.service).allow(command.operation);
    default:
      return performOnStores(aws, command);
  }
}

function deniable(aws: Aws, service: Deniable): { deny(name: string): void; allow(name: string): void } {
  if (service === "secretsmanager") return aws.secrets;
  return service === "ssm" ? aws.parameters : aws[service];
}

type StoreCommand = Extract<Command, { readonly do: `s3.${string}` | `kms.${string}` }>;

function performOnStores(aws: Aws, command: StoreCommand): unknown {
  switch (command.do) {
    case "s3.put": {
      const stored = aws.s3.put(
        command.bucket,
        command.key,
        Buffer.from(command.body, "base64"),
        command.metadata,
      );
      return { versionId: stored.versionId, etag: stored.etag };
    }
    case "s3.get": {
      const found = aws.s3.get(command.bucket, command.key, command.versionId);
      return found === undefined
        ? { found: false }
        : { ...found, found: true, body: found.body.toString("base64") };
    }
    case "s3.createBucket": {
      const { do: _, bucket, ...options } = command;
      return { region: aws.s3.createBucket(bucket, options).region };
    }
    case "s3.listAllowed":
      aws.s3.listAllowed = command.allowed;
      return undefined;
    case "kms.createKey": {
      const { do: _, ...options } = command;
      const { id, arn } = aws.kms.createKey(options);
      return { id, arn };
    }
    case "kms.setState":
      return aws.kms.setState(command.key, command.state);
    default:
      throw new Error("no such command");
  }
}
