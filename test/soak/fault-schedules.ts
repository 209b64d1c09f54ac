/** Random schedules of faults, the same for the same seed. */
import type { CallFault, ConnectionFault, Rule } from "../aws/faults.ts";
import type { ListenerName, ServiceName } from "../aws/http.ts";

export type Random = (below: number) => number;

/** xorshift32 */
export function randomFrom(seed: number): Random {
  let state = (Math.imul(seed, 2_654_435_761) ^ 0x9e37_79b9) >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

function pick<T>(random: Random, from: readonly [T, ...T[]]): T {
  return from[random(from.length)] ?? from[0];
}

export type Credentials = "instance" | "container" | "key";

export interface Schedule {
  readonly credentials: Credentials;
  readonly timeoutS: number;
  readonly rules: readonly Rule[];
  readonly clockOffsetMs: number;
  readonly verbose: boolean;
}

const OPERATIONS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  imds: ["GetToken", "ListRoles", "GetCredentials"],
  container: ["GetCredentials"],
  s3: ["GetObject"],
  kms: ["Decrypt"],
};

export function randomSchedule(random: Random): Schedule {
  const credentials = pick<Credentials>(random, ["instance", "instance", "container", "key"]);
  const first: readonly ServiceName[] =
    credentials === "instance" ? ["imds"] : credentials === "container" ? ["container"] : [];
  const services = ["s3", "kms", ...first] as unknown as readonly [ServiceName, ...ServiceName[]];
  return {
    credentials,
    timeoutS: 1 + random(30) / 10,
    rules: Array.from({ length: 1 + random(4) }, () => randomRule(random, services)),
    clockOffsetMs: random(10) === 0 ? (random(2) === 0 ? -1 : 1) * 3_600_000 : 0,
    verbose: random(4) === 0,
  };
}

function randomRule(random: Random, services: readonly [ServiceName, ...ServiceName[]]): Rule {
  const service = pick(random, services);
  const often = {
    ...(random(3) > 0 ? { times: 1 + random(6) } : {}),
    ...(random(4) === 0 ? { after: 1 + random(2) } : {}),
    ...(random(5) === 0 ? { forMs: 100 + random(2_000) } : {}),
  };
  if (random(4) === 0) return { service: service as ListenerName, ...randomConnection(random), ...often };
  const operation = pick(random, OPERATIONS[service] ?? ["GetObject"]);
  return { service, ...(random(2) === 0 ? { operation } : {}), ...randomFault(random), ...often };
}

function randomConnection(random: Random): ConnectionFault {
  return pick<ConnectionFault>(random, [
    { action: "refuse" },
    { action: "connectHang" },
    { action: "blackHole" },
    { action: "resetOnConnect" },
  ]);
}

function randomFault(random: Random): CallFault {
  return pick<CallFault>(random, [
    { action: "silent" },
    { action: "reset" },
    { action: "hangUp" },
    { action: "delay", delayMs: random(3_000) },
    { action: "status", status: pick(random, [400, 401, 403, 404, 408, 409, 418, 429, 500, 502, 503, 504]) },
    { action: "status", status: 400, code: "ThrottlingException" },
    { action: "status", status: 503, code: "SlowDown" },
    { action: "errorIn200" },
    { action: "body", body: "<html>log in</html>", status: pick(random, [200, 302, 403, 502]) },
    { action: "body", body: "{}", contentType: "application/json" },
    { action: "body", body: "null", contentType: "application/json" },
    { action: "hugeBody", bytes: 20_000_000 },
    {
      action: "redirect",
      status: pick(random, [301, 307, 400]),
      region: pick(random, ["eu-west-1", "x/y", ""]),
    },
    { action: "closeMidBody" },
    { action: "cutJson", bytes: 1 + random(20) },
    { action: "drip", everyMs: 1 + random(1_000) },
    { action: "wrongLength", bytes: random(40) },
    { action: "wrongCrc" },
    { action: "flipBit" },
    { action: "header", name: "content-type", value: "text/plain" },
    { action: "header", name: "x-amz-meta-x-amz-3", value: "AAAA" },
    { action: "header", name: "date", value: "" },
  ]);
}
