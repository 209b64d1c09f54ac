/** libc, by Bun's FFI, to put back what the runtime changed at its start. Not on Node (docs/exec.md). */

/** Addresses and the like travel as these through Bun's FFI. */
export interface FfiModule {
  dlopen(file: string, symbols: Record<string, { args: string[]; returns: string }>): { symbols: unknown };
  ptr(view: NodeJS.TypedArray): number;
}

const SYMBOLS = {
  execve: { args: ["ptr", "ptr", "ptr"], returns: "i32" },
  fcntl: { args: ["i32", "i32", "i32"], returns: "i32" },
  setrlimit: { args: ["i32", "ptr"], returns: "i32" },
  signal: { args: ["i32", "usize"], returns: "usize" },
  prctl: { args: ["i32", "usize", "usize", "usize", "usize"], returns: "i32" },
};
type Symbols = Readonly<Record<keyof typeof SYMBOLS, (...args: number[]) => unknown>>;

// fcntl(2), setrlimit(2), prctl(2), signal(2): the same numbers on x86-64 and arm64.
const F_SETFD = 2;
const RLIMIT_NOFILE = 7;
const PR_SET_DUMPABLE = 4;
const SIG_DFL = 0;
const RLIM_INFINITY = 0xffff_ffff_ffff_ffffn;

export interface Libc {
  /** Lets an open file live on across exec. */
  keepOpen(fd: number): void;
  /** Sets the limit of open files; Infinity for "unlimited". */
  limitFiles(soft: number, hard: number): void;
  /** Gives a signal its default action. */
  defaultSignal(number: number): void;
  /** No core file and no debugger of the same user from now on, until exec. */
  forbidDumps(): void;
  /** Replaces the process; returns only if the kernel refused. */
  execve(file: string, argv: readonly Buffer[], env: readonly Buffer[]): void;
}

// glibc, then musl by its two names.
const LIBRARIES = [
  "libc.so.6",
  `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`,
  "libc.so",
];

/** The C library, or undefined on Node and on systems other than Linux. */
export function loadLibc(): Libc | undefined {
  return openLibrary(SYMBOLS, bind);
}

export function openLibrary<Module extends FfiModule, Functions, Bound>(
  symbols: Parameters<FfiModule["dlopen"]>[1],
  bind: (ffi: Module, functions: Functions) => Bound,
): Bound | undefined {
  if (process.platform !== "linux") return undefined;
  // Only Bun knows this module.
  const ffi = process.getBuiltinModule("bun:ffi") as Module | undefined;
  if (ffi === undefined) return undefined;
  for (const library of LIBRARIES) {
    try {
      return bind(ffi, ffi.dlopen(library, symbols).symbols as Functions);
    } catch {
      // Not this C library: try the next.
    }
  }
  return undefined;
}

function bind(ffi: FfiModule, libc: Symbols): Libc {
  return {
    keepOpen: (fd) => void libc.fcntl(fd, F_SETFD, 0),
    limitFiles: (soft, hard) => {
      // struct rlimit: two unsigned 64-bit numbers.
      libc.setrlimit(RLIMIT_NOFILE, ffi.ptr(new BigUint64Array([soft, hard].map(limit))));
    },
    defaultSignal: (number) => void libc.signal(number, SIG_DFL),
    forbidDumps: () => void libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0),
    execve: (file, argv, env) => {
      // All buffers stay referenced from here until the call is over.
      const name = cString(Buffer.from(file));
      const [args, variables] = [argv.map(cString), env.map(cString)];
      libc.execve(ffi.ptr(name), ffi.ptr(pointers(ffi, args)), ffi.ptr(pointers(ffi, variables)));
    },
  };
}

function limit(value: number): bigint {
  return value === Infinity ? RLIM_INFINITY : BigInt(value);
}

function cString(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.of(0)]);
}

function pointers(ffi: FfiModule, strings: readonly Buffer[]): BigUint64Array {
  const array = new BigUint64Array(strings.length + 1);
  for (const [index, string] of strings.entries()) array[index] = BigInt(ffi.ptr(string));
  return array;
}
