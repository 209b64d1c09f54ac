/**
 * A port on which connect() hangs. listen(2): "If a connection request arrives when the queue is full … the request
 * may be ignored so that a later reattempt succeeds"; Linux drops the SYN. The queue of a listener that never accepts
 * fills up: it lives in a worker whose event loop is stopped, and we connect until no connection comes through.
 */
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
  const fillers: Socket[] = [];
  do fillers.push(connect({ host, port: bound }).on("error", () => {}));
  while (await connects(fillers.at(-1)));
  return {
    host,
    port: bound,
    close: async () => {
      for (const socket of fillers) socket.destroy();
      await worker.terminate();
    },
  };
}

/** On loopback a connection is there at once, or the queue is full. */
async function connects(socket: Socket | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), 100);
    socket?.once("connect", () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
