/**
 * What a parent of processes needs of libc and the runtimes have no function for, through Bun's FFI: process groups, the
 * terminal, children that stop, orphans. In the compiled binary only: on Node there is none (docs/watch.md says what differs).
 */
import { readFileSync } from "node:fs";

interface FfiModule {
  dlopen(file: string, symbols: Record<string, { args: string[]; returns: string }>): { symbols: Symbols };
  ptr(view: NodeJS.TypedArray): number;
  readonly JSCallback: new (
    callback: (signal: number) => void,
    type: { args: string[]; returns: string; threadsafe: true },
  ) => { readonly ptr: number };
}

interface Symbols {
  setpgid(pid: number, group: number): number;
  getpgid(pid: number): number;
  getsid(pid: number): number;
  tcgetpgrp(fd: number): number;
  tcsetpgrp(fd: number, group: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  signal(number: number, handler: number): bigint;
  sigaction(number: number, action: number, before: number): number;
  waitid(type: number, id: number, info: number, options: number): number;
  waitpid(pid: number, status: number, options: number): number;
  madvise(address: number, length: number, advice: number): number;
}

const SYMBOLS = {
  setpgid: { args: ["i32", "i32"], returns: "i32" },
  getpgid: { args: ["i32"], returns: "i32" },
  getsid: { args: ["i32"], returns: "i32" },
  tcgetpgrp: { args: ["i32"], returns: "i32" },
  tcsetpgrp: { args: ["i32", "i32"], returns: "i32" },
  prctl: { args: ["i32", "usize", "usize", "usize", "usize"], returns: "i32" },
  signal: { args: ["i32", "usize"], returns: "usize" },
  sigaction: { args: ["i32", "usize", "usize"], returns: "i32" },
  waitid: { args: ["i32", "u32", "ptr", "i32"], returns: "i32" },
  waitpid: { args: ["i32", "usize", "i32"], returns: "i32" },
  madvise: { args: ["usize", "usize", "i32"], returns: "i32" },
};

// prctl(2), signal(7), waitid(2), madvise(2): the same numbers on x86-64 and arm64.
const PR_SET_PDEATHSIG = 1;
const SIG_IGN = 1;
const SIGTTOU = 22;
const [P_ALL, P_PID] = [0, 1];
const [WNOHANG, WSTOPPED, WEXITED, WNOWAIT] = [1, 2, 4, 0x0100_0000];
const MADV_DONTNEED = 4;
// struct sigaction of glibc and musl on 64-bit Linux: the handler, a mask of 128 bytes, the flags.
const SIGACTION_BYTES = 152;
const FLAGS_AT = 136;
const SA_RESETHAND = 0x8000_0000;
// siginfo_t on 64-bit Linux (sigaction(2)): si_pid and si_status behind four and six ints.
const [SIGINFO_BYTES, PID_AT, STATUS_AT] = [128, 4, 6];

export interface ChildLibc {
  /** Puts this process into a process group of its own. */
  leadGroup(): void;
  /** The process group of this process. */
  ownGroup(): number;
  /** Whether this process leads its session: no shell above it looks after jobs. */
  leadsSession(): boolean;
  /** The foreground process group of a terminal; undefined where it is no terminal of ours. */
  foregroundOf(fd: number): number | undefined;
  /** Makes a group the foreground one, also from the background. */
  setForeground(fd: number, group: number): void;
  /** The kernel sends this process a signal when its parent ends. */
  signalAtParentsEnd(number: number): void;
  ignoreSignal(number: number): void;
  /**
   * Lets the handler that the runtime has for a signal stand for one delivery only: of a fault, the second is the kernel's to
   * act on. A handler that returns to the instruction that failed would be called for ever.
   *
   * @returns what sets the handler up again
   */
  handleOnce(number: number): () => void;
  /** Handles a signal that the runtime has no name for. */
  onSignal(number: number, listener: () => void): void;
  /** The signal by which a child has stopped since the last call; undefined: it has not. */
  stoppedBy(pid: number): number | undefined;
  /** The first child that has ended and that nobody has waited for, left as it is. */
  firstEnded(): number | undefined;
  /** Waits for a child that has ended. */
  reap(pid: number): void;
  /** Gives back the memory of the runtime's code that has run: what is needed again comes back from the page cache. */
  dropCode(): void;
}

const LIBRARIES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "libc.so",
];

/** undefined on Node, and on systems other than Linux */
export function loadChildLibc(): ChildLibc | undefined {
  if (process.platform !== "linux") return undefined;
  // Only Bun knows this module.
  const ffi = process.getBuiltinModule("bun:ffi") as FfiModule | undefined;
  if (ffi === undefined) return undefined;
  for (const library of LIBRARIES) {
    try {
      return bind(ffi, ffi.dlopen(library, SYMBOLS).symbols);
    } catch {
      // Not this C library: try the next.
    }
  }
  return undefined;
}

/** Referenced for as long as the kernel may call them. */
const callbacks: unknown[] = [];

function bind(ffi: FfiModule, libc: Symbols): ChildLibc {
  const wait = (type: number, id: number, options: number): { pid: number; status: number } | undefined => {
    const info = new Int32Array(SIGINFO_BYTES / Int32Array.BYTES_PER_ELEMENT);
    if (libc.waitid(type, id, ffi.ptr(info), options) !== 0) return undefined;
    const [pid = 0, status = 0] = [info[PID_AT], info[STATUS_AT]];
    return pid === 0 ? undefined : { pid, status };
  };
  return {
    leadGroup: () => void libc.setpgid(0, 0),
    ownGroup: () => libc.getpgid(0),
    leadsSession: () => libc.getsid(0) === process.pid,
    foregroundOf: (fd) => {
      const group = libc.tcgetpgrp(fd);
      return group < 0 ? undefined : group;
    },
    setForeground: (fd, group) => {
      // tcsetpgrp(3) of a process in the background stops it by SIGTTOU, unless that is ignored.
      const before = libc.signal(SIGTTOU, SIG_IGN);
      libc.tcsetpgrp(fd, group);
      libc.signal(SIGTTOU, Number(before));
    },
    signalAtParentsEnd: (number) => void libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0),
    ignoreSignal: (number) => void libc.signal(number, SIG_IGN),
    handleOnce: (number) => {
      const action = new DataView(new ArrayBuffer(SIGACTION_BYTES));
      const bytes = new Uint8Array(action.buffer);
      libc.sigaction(number, 0, ffi.ptr(bytes));
      action.setUint32(FLAGS_AT, (action.getUint32(FLAGS_AT, true) | SA_RESETHAND) >>> 0, true);
      const arm = (): void => void libc.sigaction(number, ffi.ptr(bytes), 0);
      arm();
      return arm;
    },
    onSignal: (number, listener) => {
      const callback = new ffi.JSCallback(listener, { args: ["i32"], returns: "void", threadsafe: true });
      callbacks.push(callback);
      libc.signal(number, callback.ptr);
    },
    stoppedBy: (pid) => wait(P_PID, pid, WSTOPPED | WNOHANG)?.status,
    firstEnded: () => wait(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT)?.pid,
    reap: (pid) => void libc.waitpid(pid, 0, WNOHANG),
    dropCode: () => {
      for (const [start, end] of codeOfRuntime()) libc.madvise(start, end - start, MADV_DONTNEED);
    },
  };
}

/** proc(5): the read-only, executable mappings of our own file. Nothing in them can have been changed. */
function codeOfRuntime(): (readonly [start: number, end: number])[] {
  try {
    const lines = readFileSync("/proc/self/maps", "latin1").split("\n");
    return lines.flatMap((line) => {
      const [, start, end, file] = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +(\/.*)$/.exec(line) ?? [];
      return file === process.execPath && start !== undefined && end !== undefined
        ? [[Number.parseInt(start, 16), Number.parseInt(end, 16)] as const]
        : [];
    });
  } catch {
    return [];
  }
}
