/**
 * What a parent of processes needs of libc and the runtimes have no function for, through Bun's FFI: process groups, the
 * terminal, children that stop, orphans. In the compiled binary only: on Node there is none (docs/watch.md says what differs).
 */
import { readFileSync } from "node:fs";
import { openLibrary } from "../libc.ts";
import type { FfiModule } from "../libc.ts";

interface CallableFfi extends FfiModule {
  readonly JSCallback: new (
    callback: (signal: number) => void,
    type: { args: string[]; returns: string; threadsafe: true },
  ) => { readonly ptr: number };
}

interface Symbols {
  setpgid(pid: number, group: number): number;
  fchdir(fd: number): number;
  fcntl(fd: number, command: number, argument: number): number;
  getpgid(pid: number): number;
  getsid(pid: number): number;
  tcgetpgrp(fd: number): number;
  tcsetpgrp(fd: number, group: number): number;
  tcgetattr(fd: number, modes: number): number;
  tcsetattr(fd: number, when: number, modes: number): number;
  read(fd: number, buffer: number, count: number): number;
  kill(pid: number, number: number): number;
  dup2(from: number, to: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  signal(number: number, handler: number): bigint;
  sigaction(number: number, action: number, before: number): number;
  waitid(type: number, id: number, info: number, options: number): number;
  waitpid(pid: number, status: number, options: number): number;
  madvise(address: number, length: number, advice: number): number;
}

const SYMBOLS = {
  setpgid: { args: ["i32", "i32"], returns: "i32" },
  fchdir: { args: ["i32"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  getpgid: { args: ["i32"], returns: "i32" },
  getsid: { args: ["i32"], returns: "i32" },
  tcgetpgrp: { args: ["i32"], returns: "i32" },
  tcsetpgrp: { args: ["i32", "i32"], returns: "i32" },
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  read: { args: ["i32", "ptr", "usize"], returns: "i32" },
  kill: { args: ["i32", "i32"], returns: "i32" },
  dup2: { args: ["i32", "i32"], returns: "i32" },
  prctl: { args: ["i32", "usize", "usize", "usize", "usize"], returns: "i32" },
  signal: { args: ["i32", "usize"], returns: "usize" },
  sigaction: { args: ["i32", "usize", "usize"], returns: "i32" },
  waitid: { args: ["i32", "u32", "ptr", "i32"], returns: "i32" },
  waitpid: { args: ["i32", "usize", "i32"], returns: "i32" },
  madvise: { args: ["usize", "usize", "i32"], returns: "i32" },
};

// fcntl(2), open(2), prctl(2), signal(7), waitid(2), madvise(2): the same numbers on x86-64 and arm64.
const [F_SETFD, F_GETFL, F_SETFL] = [2, 3, 4];
const FD_CLOEXEC = 1;
const O_NONBLOCK = 0o4000;
const PR_SET_PDEATHSIG = 1;
const [SIG_DFL, SIG_IGN] = [0, 1];
const [SIGTTIN, SIGTTOU] = [21, 22];
const [P_ALL, P_PID] = [0, 1];
const [WNOHANG, WSTOPPED, WEXITED, WNOWAIT] = [1, 2, 4, 0x0100_0000];
const MADV_DONTNEED = 4;
// struct sigaction of glibc and musl on 64-bit Linux: the handler, a mask of 128 bytes, the flags.
const SIGACTION_BYTES = 152;
const FLAGS_AT = 136;
const SA_RESETHAND = 0x8000_0000;
// struct termios has 60 bytes there.
const TERMIOS_BYTES = 128;
const TCSANOW = 0;
// siginfo_t on 64-bit Linux (sigaction(2)): si_pid and si_status behind four and six ints.
const [SIGINFO_BYTES, PID_AT, STATUS_AT] = [128, 4, 6];

export interface ChildLibc {
  /** Puts this process into a process group of its own. */
  leadGroup(): void;
  /** Makes an open folder the working directory. @returns whether it could be */
  enterFolder(fd: number): boolean;
  /** The process group of a process, 0: this one. A group outside of our PID namespace has the number 0. */
  groupOf(pid: number): number;
  /** The session of a process, as the group. */
  sessionOf(pid: number): number;
  /** The foreground process group of a terminal; undefined where it is no terminal of ours. */
  foregroundOf(fd: number): number | undefined;
  /** Makes a group the foreground one, also from the background. */
  setForeground(fd: number, group: number): void;
  /** Whether this process is in the foreground of a terminal, opened non-blocking, that nobody reads at the moment. */
  isInForeground(fd: number): boolean;
  /** tcgetattr(3); undefined where it is no terminal. */
  terminalModes(fd: number): Uint8Array | undefined;
  setTerminalModes(fd: number, modes: Uint8Array): void;
  /** Makes an open file another name of a second one. */
  replaceFile(from: number, to: number): void;
  /** Sends this process, or its group (0), a signal that stops it, whatever handles that otherwise. */
  stop(pid: number, number: number): void;
  /** The kernel sends this process a signal when its parent ends. */
  signalAtParentsEnd(number: number): void;
  ignoreSignal(number: number): void;
  setNonBlocking(fd: number): void;
  closeAtExec(fd: number): void;
  /**
   * Lets the handler that the runtime has for a signal stand for one delivery only: of a fault, the second is the kernel's to
   * act on. A handler that returns to the instruction that failed would be called for ever.
   *
   * @returns what sets the handler up again
   */
  handleOnce(number: number): () => void;
  /** Handles signals that the runtime has no name for. */
  onSignals(numbers: readonly number[], listener: (number: number) => void): void;
  /** The signal by which a child has stopped since the last call; undefined: it has not. */
  stoppedBy(pid: number): number | undefined;
  /** The first child that has ended and that nobody has waited for, left as it is. */
  firstEnded(): number | undefined;
  /** Waits for a child that has ended. */
  reap(pid: number): void;
  /** Gives back the memory of the runtime's code that has run: what is needed again comes back from the page cache. */
  dropCode(): void;
}

/** undefined on Node, and on systems other than Linux */
export function loadChildLibc(): ChildLibc | undefined {
  return openLibrary(SYMBOLS, bind);
}

/** Referenced for as long as the kernel may call them. */
const callbacks: unknown[] = [];

function bind(ffi: CallableFfi, libc: Symbols): ChildLibc {
  const wait = (type: number, id: number, options: number): { pid: number; status: number } | undefined => {
    const info = new Int32Array(SIGINFO_BYTES / Int32Array.BYTES_PER_ELEMENT);
    if (libc.waitid(type, id, ffi.ptr(info), options) !== 0) return undefined;
    const [pid = 0, status = 0] = [info[PID_AT], info[STATUS_AT]];
    return pid === 0 ? undefined : { pid, status };
  };
  /** Does something while a signal is handled in another way. */
  const handling = (number: number, handler: number, act: () => number): number => {
    const before = new Uint8Array(SIGACTION_BYTES);
    libc.sigaction(number, 0, ffi.ptr(before));
    libc.signal(number, handler);
    const result = act();
    libc.sigaction(number, ffi.ptr(before), 0);
    return result;
  };
  return {
    leadGroup: () => void libc.setpgid(0, 0),
    enterFolder: (fd) => libc.fchdir(fd) === 0,
    groupOf: (pid) => libc.getpgid(pid),
    sessionOf: (pid) => libc.getsid(pid),
    foregroundOf: (fd) => {
      const group = libc.tcgetpgrp(fd);
      return group < 0 ? undefined : group;
    },
    setForeground: (fd, group) => {
      // tcsetpgrp(3) of a process in the background stops it by SIGTTOU, unless that is ignored.
      handling(SIGTTOU, SIG_IGN, () => libc.tcsetpgrp(fd, group));
    },
    isInForeground: (fd) =>
      // In the background reading fails where SIGTTIN is ignored, also reading nothing.
      handling(SIGTTIN, SIG_IGN, () => libc.read(fd, ffi.ptr(new Uint8Array(1)), 0)) === 0,
    terminalModes: (fd) => {
      const modes = new Uint8Array(TERMIOS_BYTES);
      return libc.tcgetattr(fd, ffi.ptr(modes)) === 0 ? modes : undefined;
    },
    setTerminalModes: (fd, modes) => {
      handling(SIGTTOU, SIG_IGN, () => libc.tcsetattr(fd, TCSANOW, ffi.ptr(modes)));
    },
    replaceFile: (from, to) => void libc.dup2(from, to),
    stop: (pid, number) => {
      handling(number, SIG_DFL, () => libc.kill(pid, number));
    },
    signalAtParentsEnd: (number) => void libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0),
    ignoreSignal: (number) => void libc.signal(number, SIG_IGN),
    setNonBlocking: (fd) => void libc.fcntl(fd, F_SETFL, libc.fcntl(fd, F_GETFL, 0) | O_NONBLOCK),
    closeAtExec: (fd) => void libc.fcntl(fd, F_SETFD, FD_CLOEXEC),
    handleOnce: (number) => {
      const action = new DataView(new ArrayBuffer(SIGACTION_BYTES));
      const bytes = new Uint8Array(action.buffer);
      libc.sigaction(number, 0, ffi.ptr(bytes));
      action.setUint32(FLAGS_AT, (action.getUint32(FLAGS_AT, true) | SA_RESETHAND) >>> 0, true);
      const arm = (): void => void libc.sigaction(number, ffi.ptr(bytes), 0);
      arm();
      return arm;
    },
    onSignals: (numbers, listener) => {
      const callback = new ffi.JSCallback(listener, { args: ["i32"], returns: "void", threadsafe: true });
      callbacks.push(callback);
      for (const number of numbers) libc.signal(number, callback.ptr);
    },
    stoppedBy: (pid) => wait(P_PID, pid, WSTOPPED | WNOHANG)?.status,
    firstEnded: () => wait(P_ALL, 0, WEXITED | WNOHANG | WNOWAIT)?.pid,
    reap: (pid) => void libc.waitpid(pid, 0, WNOHANG),
    dropCode: () => {
      for (const [start, end] of codeOfRuntime()) libc.madvise(start, end - start, MADV_DONTNEED);
    },
  };
}

/** proc(5): the read-only, executable mappings of our own file, also once it is removed. Nothing in them can have been changed. */
function codeOfRuntime(): (readonly [start: number, end: number])[] {
  try {
    const lines = readFileSync("/proc/self/maps", "latin1").split("\n");
    return lines.flatMap((line) => {
      const [, start, end, file] = /^([0-9a-f]+)-([0-9a-f]+) r-xp \S+ \S+ \d+ +(\/.*)$/.exec(line) ?? [];
      const isOurs = file === process.execPath || file === `${process.execPath} (deleted)`;
      return isOurs && start !== undefined && end !== undefined
        ? [[Number.parseInt(start, 16), Number.parseInt(end, 16)] as const]
        : [];
    });
  } catch {
    return [];
  }
}
