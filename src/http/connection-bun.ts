/** A connection by Bun's own sockets: its node:net costs a start with TLS 3 ms more. */
import { connectionError } from "./connection.ts";
import type { ConnectOptions, Connection, Listener, Target } from "./connection.ts";

interface BunSocket {
  readonly authorized: boolean;
  /** returns how many bytes it took */
  write(bytes: Buffer): number;
  setNoDelay(on: boolean): void;
  terminate(): void;
}

interface SocketHandlers {
  open(socket: BunSocket): void;
  handshake(socket: BunSocket, success: boolean, error: Error | null): void;
  data(socket: BunSocket, bytes: Buffer): void;
  drain(socket: BunSocket): void;
  end(socket: BunSocket): void;
  close(socket: BunSocket, error?: Error): void;
  error(socket: BunSocket, error: Error): void;
  connectError(socket: BunSocket, error: Error): void;
}

export interface BunSockets {
  connect(options: {
    readonly hostname: string;
    readonly port: number;
    readonly tls?: { readonly serverName: string; readonly rejectUnauthorized: true; readonly ca?: Buffer };
    readonly socket: SocketHandlers;
  }): Promise<BunSocket>;
}

export function connectByBun(bun: BunSockets, target: Target, options: ConnectOptions): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const { host: hostname, port, secure } = target;
    const connection = new BunConnection();
    const fail = (error: unknown, fallback: string): void => {
      clearTimeout(timer);
      // First, as closing calls the close handler at once.
      reject(connectionError(error, target, fallback));
      connection.close();
    };
    const timer = setTimeout(() => fail(undefined, "ETIMEDOUT"), options.timeoutMs);
    const ready = (): void => {
      clearTimeout(timer);
      resolve(connection);
    };
    const socket: SocketHandlers = {
      open(opened) {
        connection.opened(opened);
        if (!secure) ready();
      },
      handshake({ authorized }, success, error) {
        // Bun has checked chain and host name by now, and says so in three ways: all must.
        if (success && error === null && authorized) ready();
        else fail(error, "ERR_TLS_HANDSHAKE");
      },
      data: (_, bytes) => connection.received(bytes),
      drain: () => connection.flush(),
      end: () => connection.ended(),
      close(_, error) {
        connection.ended(error);
        fail(error, "ECONNRESET");
      },
      error: (_, error) => connection.ended(error),
      connectError: (_, error) => fail(error, "ECONNREFUSED"),
    };
    const tls = {
      rejectUnauthorized: true,
      // A server name is for names only (RFC 6066, section 3); an address is verified without one.
      serverName: /^[\d.]+$|:/.test(hostname) ? "" : hostname,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    } as const;
    const connect = async (): Promise<unknown> =>
      bun.connect({ hostname, port, ...(secure ? { tls } : {}), socket });
    // connectError has the same error.
    connect().catch((error: unknown) => fail(error, "ECONNREFUSED"));
  });
}

class BunConnection implements Connection {
  #socket: BunSocket | undefined;
  #unsent: Buffer[] = [];
  #listener: Listener | undefined;
  closed = false;

  opened(socket: BunSocket): void {
    this.#socket = socket;
    if (this.closed) socket.terminate();
    else socket.setNoDelay(true);
  }

  send(bytes: Buffer): void {
    this.#unsent.push(bytes);
    this.flush();
  }

  flush(): void {
    for (let next = this.#unsent.shift(); next !== undefined; next = this.#unsent.shift()) {
      const taken = Math.max(0, this.#socket?.write(next) ?? 0);
      if (taken === next.length) continue;
      // The rest goes when the socket drains.
      this.#unsent.unshift(next.subarray(taken));
      return;
    }
  }

  listen(listener: Listener): void {
    this.#listener = listener;
  }

  received(bytes: Buffer): void {
    // Whoever speaks before it is asked is not asked.
    if (this.#listener === undefined) this.close();
    else this.#listener.onData(bytes);
  }

  ended(error?: Error): void {
    if (this.closed) return;
    this.close();
    this.#listener?.onClose(error);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket?.terminate();
  }
}
