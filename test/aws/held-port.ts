/**
 * A port that nobody listens on, and that nobody else is given. bind(2) names it for a connection of our own: so connect()
 * to it is refused (ECONNREFUSED) as where nothing runs, and the kernel hands it neither to another listener that asks for
 * any port nor to a connection. A port that is only closed is soon somebody else's: then a test's request reaches another
 * test's server, or itself.
 */
import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

export interface HeldPort {
  release(): void;
}

/**
 * @param host the address, as an IP
 * @param port a listener may be opened on it again while it is held
 * @param close ends the listener that is there now, at once: from then on it is held
 */
export async function holdPort(host: string, port: number, close: () => void): Promise<HeldPort> {
  // Before: it could be given the very port.
  const far = await listen(host);
  close();
  const near: Socket = connect({ host, port: far.port, localAddress: host, localPort: port });
  // Its end is nothing to anybody.
  near.on("error", () => near.destroy()).unref();
  const release = (): void => {
    near.resetAndDestroy();
    far.close();
  };
  try {
    await once(near, "connect");
  } catch (error) {
    release();
    throw error;
  }
  return { release };
}

async function listen(host: string): Promise<{ readonly port: number; close(): void }> {
  const taken: Socket[] = [];
  const server: Server = createServer((socket) => {
    taken.push(socket.on("error", () => socket.destroy()).unref());
  });
  server.unref().listen({ host, port: 0 });
  await once(server, "listening");
  const close = (): void => {
    server.close();
    for (const socket of taken) socket.destroy();
  };
  return { port: (server.address() as AddressInfo).port, close };
}
