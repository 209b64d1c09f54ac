/** A connection by node:net and node:tls, for the npm package. */
import net from "node:net";
import { ConnectionError, connectionError } from "./connection.ts";
import type { ConnectOptions, Connection, Listener, Target } from "./connection.ts";

export function connectByNode(target: Target, options: ConnectOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = openSocket(target, options);
    const connection = connectionOf(socket);
    socket.once(target.secure ? "secureConnect" : "connect", () => resolve(connection));
    socket.once("error", (error) => reject(connectionError(error, target, "ECONNRESET")));
    socket.once("close", () => reject(new ConnectionError("ECONNRESET", target)));
  });
}

/** A socket on its way; an https one verifies chain and host name before it says secureConnect. */
export function openSocket(target: Target, { ca, timeoutMs }: ConnectOptions): net.Socket {
  const address = { host: target.host, port: target.port };
  // A server name is for names only (RFC 6066, section 3).
  const servername = net.isIP(target.host) === 0 ? target.host : "";
  // Not imported: the metadata service, which is asked first and without TLS, is on its way while this loads (10 ms).
  const socket = target.secure
    ? process
        .getBuiltinModule("node:tls")
        .connect({ ...address, servername, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) })
    : net.connect(address);
  const timer = setTimeout(() => socket.destroy(new ConnectionError("ETIMEDOUT", target)), timeoutMs);
  socket.once(target.secure ? "secureConnect" : "connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  return socket.setNoDelay(true);
}

function connectionOf(socket: net.Socket): Connection {
  let listener: Listener | undefined;
  let failure: Error | undefined;
  socket.on("error", (error) => (failure = error));
  socket.on("data", (bytes: Buffer) => {
    // Whoever speaks before it is asked is not asked.
    if (listener === undefined) socket.destroy();
    else listener.onData(bytes);
  });
  socket.on("close", () => listener?.onClose(failure));
  return {
    get closed() {
      return socket.destroyed || socket.readableEnded;
    },
    send: (bytes) => void socket.write(bytes),
    listen: (given) => void (listener = given),
    close: () => void socket.destroy(),
  };
}
