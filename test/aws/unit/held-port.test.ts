/** The tests' own: a server that is away must not become another test's. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server } from "node:net";
import { test } from "node:test";
import { holdPort } from "../held-port.ts";

const HOST = "127.0.0.1";

async function listen(port: number): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => socket.end());
  server.listen({ host: HOST, port });
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

async function connectTo(port: number): Promise<string> {
  const socket = connect({ host: HOST, port });
  try {
    await once(socket, "connect");
    return "connected";
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "";
  } finally {
    socket.destroy();
  }
}

test("connections to it are refused, and whoever held it can listen on it again", async () => {
  const { server, port } = await listen(0);
  const held = await holdPort(HOST, port, () => server.close());
  assert.equal(await connectTo(port), "ECONNREFUSED");
  const again = await listen(port);
  held.release();
  assert.equal(await connectTo(port), "connected");
  again.server.close();
});

// A network of its own, with four ports to give out.
const NETWORK = "ip link set lo up && echo 40000 40003 > /proc/sys/net/ipv4/ip_local_port_range";
const MODULE = new URL("../held-port.ts", import.meta.url).href;

/** Closes a port, listens on any others until there is none left, and says whether the closed one was among them. */
const SCRIPT = `
import { once } from "node:events";
import { createServer } from "node:net";
import { holdPort } from ${JSON.stringify(MODULE)};
const listen = async () => {
  const server = createServer().listen({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  return server;
};
const first = await listen();
const { port } = first.address();
const close = () => first.close();
if (process.argv.includes("hold")) await holdPort("127.0.0.1", port, close);
else close();
const ports = [];
for (;;) {
  try {
    ports.push((await listen()).address().port);
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    break;
  }
}
process.stdout.write(String(ports.includes(port)), () => process.exit());
`;

function isGivenAway(how: "hold" | "close"): string {
  const node = [process.execPath, "--input-type=module", "-e", SCRIPT, how];
  const words = ["--net", "sh", "-c", `${NETWORK} && exec "$@"`, "sh", ...node];
  const { stdout, stderr } = spawnSync("unshare", words, { encoding: "utf8" });
  return stdout === "" ? stderr : stdout;
}

const skip = isGivenAway("close") === "true" ? false : "needs unshare, ip and root";

test("nobody else is given it, also where it is the last one", { skip }, () => {
  assert.equal(isGivenAway("hold"), "false");
});
