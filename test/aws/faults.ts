/** What can go wrong between a client and AWS, as rules: which calls, how often, and how. */
import type { CallInfo, ListenerName, ServiceName } from "./http.ts";

/** Below HTTP, where no operation is known yet: the rule names a listener. */
export type ConnectionFault =
  /** nobody listens, and the port is kept: ECONNREFUSED. Counts no hits (the kernel answers); ends with remove() or forMs */
  | { readonly action: "refuse" }
  /** connect() itself hangs: a listener whose backlog is full. Counts no hits; as above */
  | { readonly action: "connectHang" }
  /** accepted, then nothing is ever answered, not even a TLS handshake */
  | { readonly action: "blackHole" }
  /** RST right after accept */
  | { readonly action: "resetOnConnect" };

/** Before the service sees the call: it does not happen, or happens late. */
export type RequestFault =
  /** the request is read whole and never answered */
  | { readonly action: "silent" }
  /** RST after the request was read */
  | { readonly action: "reset" }
  /** FIN after the request was read, as from a keep-alive connection that the server gives up */
  | { readonly action: "hangUp" }
  /** answered as always, but so much later; adds up with other rules */
  | { readonly action: "delay"; readonly delayMs: number }
  /** an error in the service's own form; code by default that of the service for this status */
  | { readonly action: "status"; readonly status: number; readonly code?: string; readonly message?: string }
  /** 200 with an Error document in it */
  | { readonly action: "errorIn200"; readonly code?: string }
  /** any status and body, e.g. the HTML of a captive portal */
  | {
      readonly action: "body";
      readonly body: string;
      readonly status?: number;
      readonly contentType?: string;
    }
  /** zeros without end: bytes is 100 MB by default */
  | { readonly action: "hugeBody"; readonly bytes?: number }
  /** S3: 301 PermanentRedirect, 307 TemporaryRedirect (to location) or 400 AuthorizationHeaderMalformed */
  | {
      readonly action: "redirect";
      readonly status: 301 | 307 | 400;
      readonly region: string;
      readonly location?: string;
    };

/** After the service answered: the call took place, its answer is spoilt. */
export type ReplyFault =
  /** Content-Length is right, then FIN after so many bytes of the body (half of them by default) */
  | { readonly action: "closeMidBody"; readonly bytes?: number }
  /** the same by another name: what a JSON client sees of it */
  | { readonly action: "cutJson"; readonly bytes?: number }
  /** one byte of the body every so many ms (1000 by default) */
  | { readonly action: "drip"; readonly everyMs?: number }
  /** the body ends early and Content-Length agrees: only the checksum, ETag or tag can tell (half by default) */
  | { readonly action: "wrongLength"; readonly bytes?: number }
  /** a checksum header that is not that of the body; CRC32 is added where none was asked for */
  | { readonly action: "wrongCrc" }
  /** the same answer under another status */
  | { readonly action: "answerAs"; readonly status: number }
  /** one bit of the body is other */
  | { readonly action: "flipBit"; readonly at?: number }
  /** a header is replaced, or taken away by an empty value */
  | { readonly action: "header"; readonly name: string; readonly value: string }
  /** S3: right after this answer the object has a new version */
  | {
      readonly action: "replaceObject";
      readonly body: string | Buffer;
      readonly metadata?: Readonly<Record<string, string>>;
    };

export type CallFault = RequestFault | ReplyFault;

interface Often {
  /** how many times; for ever by default */
  readonly times?: number;
  /** let so many pass first */
  readonly after?: number;
  /** the rule ends by itself after so long */
  readonly forMs?: number;
}

export interface Where {
  readonly service: ServiceName;
  readonly operation?: string;
  /** of an S3 object */
  readonly key?: string;
}

export type ConnectionRule = { readonly service: ListenerName } & ConnectionFault & Often;
export type CallRule = Where & CallFault & Often;
export type Rule = ConnectionRule | CallRule;

const CONNECTION_ACTIONS: ReadonlySet<string> = new Set([
  "refuse",
  "connectHang",
  "blackHole",
  "resetOnConnect",
]);

export function isConnectionRule(rule: Rule): rule is ConnectionRule {
  return CONNECTION_ACTIONS.has(rule.action);
}

export interface FaultHandle {
  /** how often it struck */
  readonly hits: number;
  /** refuse and connectHang: when they are in force; at once for the others */
  readonly ready: Promise<void>;
  /** ends the rule; resolves when connections are taken again */
  remove(): Promise<void>;
}

/** What a listener does when a refuse or connectHang rule comes and goes. */
export interface Gate {
  close(service: ListenerName, how: "refuse" | "connectHang"): Promise<void>;
  open(service: ListenerName): Promise<void>;
}

class ActiveRule implements FaultHandle {
  hits = 0;
  ready: Promise<void> = Promise.resolve();
  readonly rule: Rule;
  #seen = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #end: () => Promise<void>;

  constructor(rule: Rule, end: (self: ActiveRule) => Promise<void>) {
    this.rule = rule;
    this.#end = () => end(this);
    if (rule.forMs !== undefined) this.#timer = setTimeout(() => void this.remove(), rule.forMs);
  }

  /** Counts one call that the rule is about; true if the rule strikes. */
  strike(): boolean {
    this.#seen += 1;
    const { times = Infinity, after = 0 } = this.rule;
    if (this.#seen <= after || this.hits >= times) return false;
    this.hits += 1;
    return true;
  }

  async remove(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#end();
  }
}

export class Faults {
  #rules: ActiveRule[] = [];
  readonly #gate: Gate;

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  /** Rules are tried in the order they were added; the first that strikes acts, delays apart. */
  add(rule: Rule): FaultHandle {
    const active = new ActiveRule(rule, (self) => this.#remove(self));
    this.#rules.push(active);
    if (rule.action === "refuse" || rule.action === "connectHang")
      active.ready = this.#gate.close(rule.service, rule.action);
    return active;
  }

  /** Ends every rule; resolves when connections are taken again. */
  async clear(): Promise<void> {
    // A copy: each remove() takes its rule out of the list.
    await Promise.all([...this.#rules].map((active) => active.remove()));
  }

  onConnection(listener: ListenerName): ConnectionFault | undefined {
    for (const active of this.#rules) {
      const { rule } = active;
      if (isConnectionRule(rule) && rule.service === listener && active.strike()) return rule;
    }
    return undefined;
  }

  onCall(service: ServiceName, call: CallInfo): { fault: CallFault | undefined; delayMs: number } {
    let delayMs = 0;
    for (const active of this.#rules) {
      const { rule } = active;
      if (isConnectionRule(rule) || !isAbout(rule, service, call) || !active.strike()) continue;
      if (rule.action !== "delay") return { fault: rule, delayMs };
      delayMs += rule.delayMs;
    }
    return { fault: undefined, delayMs };
  }

  async #remove(active: ActiveRule): Promise<void> {
    const at = this.#rules.indexOf(active);
    if (at < 0) return;
    this.#rules.splice(at, 1);
    const { action, service } = active.rule;
    const closes = (other: ActiveRule): boolean =>
      other.rule.service === service &&
      (other.rule.action === "refuse" || other.rule.action === "connectHang");
    if (action !== "refuse" && action !== "connectHang") return;
    await active.ready;
    if (!this.#rules.some(closes)) await this.#gate.open(service);
  }
}

function isAbout(where: Where, service: ServiceName, call: CallInfo): boolean {
  return (
    where.service === service &&
    (where.operation === undefined || where.operation === call.operation) &&
    (where.key === undefined || where.key === call.detail.key)
  );
}
