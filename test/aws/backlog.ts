/**
 * A port on which connect() hangs. listen(2): "If a connection request arrives when the queue is full … the request
 * may be ignored so that a later reattempt succeeds"; Linux drops the SYN. The queue of a listener that never accepts
 * fills up: it lives in a worker whose event loop is stopped, and we connect more often than it has places.
 */
import { once } from "node:events";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";

export interface HangingPort {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const LISTEN_AND_STOP = `
const { parentPort, workerData } = require("node:worker_threads");
const server = require("node:net").createServer();
server.on("error", (error) => { throw error; });
server.listen({ ...workerData, backlog: 1, exclusive: true }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});`;

/** @param port 0: any free one */
export async function startHangingPort(host = "127.0.0.1", port = 0): Promise<HangingPort> {
  const worker = new Worker(LISTEN_AND_STOP, { eval: true, workerData: { host, port } });
  const bound = await new Promise<number>((resolve, reject) => {
    worker.once("message", (value: unknown) => resolve(Number(value)));
    worker.once("error", reject);
  });
  const fillers = await fill(host, bound);
  return {
    host,
    port: bound,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

/**
 * More connections than a queue of `backlog: 1` holds. Loopback answers a SYN inside of connect(), so that all of them
 * have had their turn before the first event; those that came too late wait, and would take any place that fell free.
 */
async function fill(host: string, port: number): Promise<Socket[]> {
  const fillers = Array.from({ length: 8 }, () => connect({ host, port }).on("error", () => {}));
  await Promise.race(fillers.map((socket) => once(socket, "connect")));
  return fillers;
}
