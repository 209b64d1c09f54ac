/**
 * node bench/latency/proxies.ts '[[HOST, PORT, ROUND_TRIP_MS], …]'
 *
 * Prints the port of each proxy, in the same order, as one line of JSON. Ends when stdin closes. A process of its own,
 * so that one who measures by spawnSync does not hold it up.
 */
import { startProxy } from "./proxy.ts";

const wanted = JSON.parse(process.argv[2] ?? "[]") as [string, number, number][];
const started = await Promise.all(
  wanted.map(([host, port, roundTripMs]) => startProxy({ host, port }, roundTripMs)),
);
process.stdout.write(`${JSON.stringify(started.map(({ port }) => port))}\n`);
process.stdin.resume().once("close", () => process.exit(0));
