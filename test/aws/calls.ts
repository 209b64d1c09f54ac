import type { CallDetail, CallInfo, ListenerName, ServiceName } from "./http.ts";

/** One request that reached a service, answered or not. */
export interface Call extends CallInfo {
  readonly service: ServiceName;
  /** when its body had arrived, ms since the epoch by this machine's clock */
  readonly time: number;
  readonly headers: ReadonlyMap<string, string>;
  /** 0 while there is no answer, and for good where a fault swallowed it */
  status: number;
}

/** One TCP connection that was accepted. */
export interface Connection {
  readonly listener: ListenerName;
  readonly time: number;
}

/** Everything that arrived, in order. The arrays stay the same objects for the life of the log. */
export class CallLog {
  readonly calls: Call[] = [];
  readonly connections: Connection[] = [];

  begin(
    service: ServiceName,
    operation: string,
    detail: CallDetail,
    more: { requestId: string; headers: ReadonlyMap<string, string> },
  ): Call {
    const call: Call = { service, operation, time: Date.now(), status: 0, detail, ...more };
    this.calls.push(call);
    return call;
  }

  count(service: ServiceName, operation?: string): number {
    return this.calls.filter(
      (call) => call.service === service && (operation === undefined || call.operation === operation),
    ).length;
  }

  reset(): void {
    this.calls.length = 0;
    this.connections.length = 0;
  }
}
