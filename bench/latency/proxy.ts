/**
 * A TCP proxy that puts a server further away. Each byte waits half a round trip in either direction, and the first ones
 * of a connection longer, as those of a connection that goes over a wire: loopback accepts at once, but a SYN would
 * arrive after half a round trip, and the client would hear of it after a whole one. So what the client sends earlier
 * counts as sent one round trip after the accept, and what the server sends earlier as sent after half of one.
 *
 * What it does not have: a congestion window (what a start exchanges is below the first one, 10 segments), loss, limits of
 * bandwidth, DNS. A client that prepares its first bytes only once it is connected does so here within that
 * first round trip: a constant of a millisecond or less that leaves the slope as it is.
 */
import { createServer, connect } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";
import { DelayLine } from "./delay-line.ts";

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** @returns the server, listening at a free port of 127.0.0.1 */
export function startProxy(target: Target, roundTripMs: number): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const acceptedMs = performance.now();
    const upstream = connect({ ...target, allowHalfOpen: true, noDelay: true });
    const oneWayMs = roundTripMs / 2;
    carry(client, upstream, new DelayLine(oneWayMs, acceptedMs + roundTripMs));
    carry(upstream, client, new DelayLine(oneWayMs, acceptedMs + oneWayMs));
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve({ server, port: (server.address() as AddressInfo).port }));
  });
}

/** Bytes, the end of them, and a connection that breaks, all in their order. */
function carry(from: Socket, to: Socket, line: DelayLine): void {
  from.on("data", (chunk) => line.put(() => to.write(chunk)));
  from.on("end", () => line.put(() => to.end()));
  // "close" follows.
  from.on("error", () => {});
  from.on("close", (broken) => line.put(() => (broken ? to.resetAndDestroy() : to.end())));
}
