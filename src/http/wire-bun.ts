/**
 * A wire by Bun's own sockets (bun.com/docs/runtime/networking/tcp). Bun's node:net does the same through some 3 ms of
 * JavaScript more at a start, measured for two TLS connections.
 */
import type { Target } from "./target.ts";
import { WireError, wireError } from "./wire.ts";
import type { Wire, WireListener, WireOptions } from "./wire.ts";

/** What is used of Bun's API. */
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
    readonly tls?: {
      readonly serverName?: string;
      readonly rejectUnauthorized: true;
      readonly ca?: Buffer;
    };
    readonly socket: SocketHandlers;
  }): Promise<BunSocket>;
}

export function connectByBun(bun: BunSockets, target: Target, options: WireOptions): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const wire = new BunWire();
    const fail = (error: unknown, fallback: string): void => {
      clearTimeout(timer);
      // First, as closing calls the close handler at once.
      reject(wireError(error, target, fallback));
      wire.close();
    };
    const timer = setTimeout(() => fail(new WireError("ETIMEDOUT", target), "ETIMEDOUT"), options.timeoutMs);
    const ready = (): void => {
      clearTimeout(timer);
      resolve(wire);
    };
    const handlers: SocketHandlers = {
      open(socket) {
        wire.opened(socket);
        if (!target.secure) ready();
      },
      handshake(socket, success, error) {
        // Bun has checked chain and host name by now (rejectUnauthorized), and says so in three ways: all must.
        if (success && error === null && socket.authorized) ready();
        else fail(error, "ERR_TLS_HANDSHAKE");
      },
      data: (_socket, bytes) => wire.received(bytes),
      drain: () => wire.flush(),
      end: () => wire.ended(),
      close(_socket, error) {
        clearTimeout(timer);
        wire.ended(error);
        reject(wireError(error, target, "ECONNRESET"));
      },
      error: (_socket, error) => wire.ended(error),
      connectError(_socket, error) {
        fail(error, "ECONNREFUSED");
      },
    };
    try {
      bun
        .connect({
          hostname: target.host,
          port: target.port,
          ...(target.secure
            ? {
                tls: {
                  rejectUnauthorized: true,
                  // A server name is for names only (RFC 6066, section 3); an address is verified without one.
                  serverName: /^[\d.]+$|:/.test(target.host) ? "" : target.host,
                  ...(options.ca === undefined ? {} : { ca: options.ca }),
                },
              }
            : {}),
          socket: handlers,
        })
        // connectError has the same error.
        .catch((error: unknown) => handlers.connectError(undefined as never, error as Error));
    } catch (error) {
      fail(error, "ECONNREFUSED");
    }
  });
}

class BunWire implements Wire {
  #socket: BunSocket | undefined;
  #unsent: Buffer[] = [];
  #listener: WireListener | undefined;
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  opened(socket: BunSocket): void {
    this.#socket = socket;
    if (this.#closed) socket.terminate();
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

  listen(listener: WireListener): void {
    this.#listener = listener;
  }

  received(bytes: Buffer): void {
    // Whoever speaks before it is asked is not asked.
    if (this.#listener === undefined) this.close();
    else this.#listener.onData(bytes);
  }

  ended(error?: Error): void {
    if (this.#closed) return;
    this.close();
    this.#listener?.onClose(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket?.terminate();
  }
}
