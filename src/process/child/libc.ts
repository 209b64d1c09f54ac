/** What a parent and its child need of libc and the runtimes have no function for. */
import { openLibrary } from "../libc.ts";
import type { FfiModule } from "../libc.ts";

interface CallableFfi extends FfiModule {
  readonly JSCallback: new (callback: () => void, type: object) => { readonly ptr: number };
}

const taking = (count: number) => ({ args: Array<string>(count).fill("usize"), returns: "i32" });
const SYMBOLS = {
  setpgid: taking(2),
  fchdir: taking(1),
  fcntl: taking(3),
  prctl: taking(5),
  waitpid: taking(3),
  syscall: taking(5),
  // As signal, but the handler stands for one delivery; not with musl, where it is another name of signal.
  __sysv_signal: taking(2),
};
type Symbols = Readonly<Record<keyof typeof SYMBOLS, (...args: number[]) => number>>;

// fcntl(2), open(2), prctl(2), signal(2), waitpid(2), syscalls(2): the same numbers on x86-64 and arm64.
const [F_SETFD, F_GETFL, F_SETFL, FD_CLOEXEC, O_NONBLOCK] = [2, 3, 4, 1, 0o4000];
const [PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER] = [1, 36];
const [SIG_IGN, WNOHANG] = [1, 1];
const [SYS_PIDFD_SEND_SIGNAL, SYS_PIDFD_OPEN] = [424, 434];

export type ChildLibc = ReturnType<typeof bind>;

/** In the compiled binary only: undefined on Node, and on systems other than Linux. */
export function loadChildLibc(): ChildLibc | undefined {
  return openLibrary(SYMBOLS, bind);
}

/** Referenced for as long as the kernel may call them. */
const callbacks: unknown[] = [];

function bind(ffi: CallableFfi, libc: Symbols) {
  return {
    leadGroup: (): void => void libc.setpgid(0, 0),
    /** @returns whether it could be entered */
    enterFolder: (fd: number): boolean => libc.fchdir(fd) === 0,
    signalAtParentsEnd: (number: number): void => void libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0),
    /** Whoever is below this process and loses its parent becomes its own child. */
    adoptOrphans: (): void => void libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
    ignoreSignal: (number: number): void => void libc.__sysv_signal(number, SIG_IGN),
    setNonBlocking: (fd: number) => void libc.fcntl(fd, F_SETFL, libc.fcntl(fd, F_GETFL, 0) | O_NONBLOCK),
    closeAtExec: (fd: number): void => void libc.fcntl(fd, F_SETFD, FD_CLOEXEC),
    /** @returns whether that child has ended; nobody can ask for its end again */
    reap: (pid: number): boolean => libc.waitpid(pid, 0, WNOHANG) === pid,
    /** pidfd_open(2). @returns below 0 where the kernel, or who confines us, does not give one */
    openProcess: (pid: number): number => libc.syscall(SYS_PIDFD_OPEN, pid, 0, 0, 0),
    /** pidfd_send_signal(2): never to another process that has its number by now. */
    signalProcess: (pidfd: number, number: number): void =>
      void libc.syscall(SYS_PIDFD_SEND_SIGNAL, pidfd, number, 0, 0),
    /** Hears a signal that the runtime has no name for, which may not call the runtime while it is being called. */
    onSignal: (number: number, listener: () => void): void => {
      const heard = (): void => {
        libc.__sysv_signal(number, callback.ptr);
        listener();
      };
      const callback = new ffi.JSCallback(heard, { args: [], returns: "void", threadsafe: true });
      callbacks.push(callback);
      libc.__sysv_signal(number, callback.ptr);
    },
  };
}
