/**
 * A name server that can fail: A records over UDP (RFC 1035 section 4). AAAA and other types of a known name are an
 * empty NOERROR; unknown names are NXDOMAIN.
 */
import { createSocket } from "node:dgram";
import type { RemoteInfo } from "node:dgram";

export type DnsFailure = "servfail" | "nxdomain" | "silent";

export interface DnsOptions {
  /** name, or `*.suffix` → IPv4 address; `*` for every name */
  readonly names: Readonly<Record<string, string>>;
  readonly host?: string;
  readonly port?: number;
  /** fails in this way … */
  readonly failure?: DnsFailure;
  /** … so many queries (for ever by default) */
  readonly failQueries?: number;
  /** … or so long */
  readonly failMs?: number;
}

export interface DnsServer {
  readonly host: string;
  readonly port: number;
  /** every question that came, answered or not */
  readonly queries: readonly { readonly name: string; readonly type: number }[];
  /** fails from now on in this way, or not at all */
  fail(failure: DnsFailure | undefined, queries?: number): void;
  close(): Promise<void>;
}

interface Question {
  readonly name: string;
  readonly type: number;
  /** where the question section ends */
  readonly end: number;
}

const TYPE_A = 1;
const RCODE = { noerror: 0, servfail: 2, nxdomain: 3 } as const;

export async function startDns(options: DnsOptions): Promise<DnsServer> {
  const socket = createSocket("udp4");
  const queries: { name: string; type: number }[] = [];
  const until = options.failMs === undefined ? Infinity : performance.now() + options.failMs;
  let failure = options.failure;
  let left = options.failQueries ?? Infinity;
  const nextFailure = (): DnsFailure | undefined => {
    if (failure === undefined || left <= 0 || performance.now() > until) return undefined;
    left -= 1;
    return failure;
  };
  socket.on("message", (packet: Buffer, from: RemoteInfo) => {
    const question = readQuestion(packet);
    if (question === undefined) return;
    queries.push({ name: question.name, type: question.type });
    const failing = nextFailure();
    if (failing === "silent") return;
    const address = lookUp(options.names, question.name);
    const rcode = failing ?? (address === undefined ? "nxdomain" : "noerror");
    const answer = rcode === "noerror" && question.type === TYPE_A ? address : undefined;
    socket.send(reply(packet, question, RCODE[rcode], answer), from.port, from.address);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(options.port ?? 0, options.host ?? "127.0.0.1", resolve);
  });
  const { address, port } = socket.address();
  return {
    host: address,
    port,
    queries,
    fail: (how, count = Infinity) => {
      failure = how;
      left = count;
    },
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

function readQuestion(packet: Buffer): Question | undefined {
  if (packet.length < 17 || packet.readUInt16BE(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (let length = packet[at] ?? 0; length > 0 && length < 64; length = packet[at] ?? 0) {
    labels.push(packet.toString("latin1", at + 1, at + 1 + length).toLowerCase());
    at += 1 + length;
  }
  if (at + 5 > packet.length) return undefined;
  return { name: labels.join("."), type: packet.readUInt16BE(at + 1), end: at + 5 };
}

function lookUp(names: Readonly<Record<string, string>>, name: string): string | undefined {
  const parents = name.split(".").map((_, index, labels) => `*.${labels.slice(index + 1).join(".")}`);
  return [name, ...parents, "*"].map((pattern) => names[pattern]).find((address) => address !== undefined);
}

/** Header, the question again, and one A record with a TTL of 0 where there is an address. */
function reply(packet: Buffer, question: Question, rcode: number, address: string | undefined): Buffer {
  const header = Buffer.alloc(12);
  packet.copy(header, 0, 0, 2);
  // QR, AA, RA, and RD as asked
  header.writeUInt16BE(0x8480 | (packet.readUInt16BE(2) & 0x0100) | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(address === undefined ? 0 : 1, 6);
  const parts = [header, packet.subarray(12, question.end)];
  if (address !== undefined) {
    const record = Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 0, 0, 4]);
    parts.push(record, Buffer.from(address.split(".").map(Number)));
  }
  return Buffer.concat(parts);
}
