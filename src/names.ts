/** Which names a source may set, and which must be there. */
import { SealexecError } from "./errors.ts";
import type { Variables } from "./secret.ts";

export interface NamePolicy {
  /** must be there and not empty */
  readonly require: readonly string[];
  /** refused by default, but allowed here by name */
  readonly allow: ReadonlySet<string>;
}

/** Names that change how programs find and load code, or how shells and interpreters start. */
const REFUSED_NAMES = new Set(
  [
    // the shell and its start
    "PATH IFS ENV BASH_ENV BASHOPTS SHELLOPTS CDPATH GLOBIGNORE PS4 PROMPT_COMMAND ZDOTDIR FPATH",
    // libc and its loaders
    "GLIBC_TUNABLES GCONV_PATH LOCPATH NLSPATH MALLOC_TRACE HOSTALIASES RES_OPTIONS LOCALDOMAIN",
    "RESOLV_HOST_CONF GETCONF_DIR LIBPATH SHLIB_PATH",
    // runtimes and interpreters
    "NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE BUN_OPTIONS BUN_BE_BUN BUN_CONFIG_PRELOAD",
    "PYTHONPATH PYTHONSTARTUP PYTHONHOME PYTHONINSPECT PYTHONUSERBASE PYTHONBREAKPOINT",
    "PYTHONWARNINGS PYTHONEXECUTABLE PYTHONPLATLIBDIR PERL5OPT PERL5LIB PERL5DB PERLLIB RUBYOPT",
    "RUBYLIB RUBYPATH RUBYSHELL GEM_HOME GEM_PATH BUNDLE_GEMFILE JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS",
    "_JAVA_OPTIONS JDK_JAVAC_OPTIONS CLASSPATH PHPRC PHP_INI_SCAN_DIR LUA_PATH LUA_CPATH LUA_INIT",
    "ERL_FLAGS ERL_AFLAGS ERL_ZFLAGS ERL_LIBS R_PROFILE R_PROFILE_USER JULIA_LOAD_PATH TCLLIBPATH",
    "DOTNET_STARTUP_HOOKS DOTNET_ADDITIONAL_DEPS DOTNET_SHARED_STORE COR_ENABLE_PROFILING",
    "COR_PROFILER COR_PROFILER_PATH CORECLR_ENABLE_PROFILING CORECLR_PROFILER CORECLR_PROFILER_PATH",
    // tools that run what a variable says
    "GIT_SSH GIT_SSH_COMMAND GIT_EXTERNAL_DIFF GIT_EDITOR GIT_PAGER GIT_ASKPASS GIT_PROXY_COMMAND",
    "GIT_EXEC_PATH GIT_TEMPLATE_DIR GIT_CONFIG_GLOBAL GIT_CONFIG_SYSTEM GIT_CONFIG_COUNT SSH_ASKPASS",
    "SUDO_ASKPASS EDITOR VISUAL PAGER MANPAGER BROWSER LESSOPEN LESSCLOSE RSYNC_RSH MAKEFLAGS",
    "OPENSSL_CONF OPENSSL_MODULES OPENSSL_ENGINES SSLKEYLOGFILE",
  ].flatMap((line) => line.split(" ")),
);

const REFUSED_PREFIXES = ["LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG_KEY_", "GIT_CONFIG_VALUE_", "_RLD"];

/** Whether a source may not set `name` unless it is allowed by name. */
export function isRefusedName(name: string): boolean {
  return REFUSED_NAMES.has(name) || REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** @throws "data", naming the names */
export function refuseNames(variables: Variables, allow: ReadonlySet<string>): void {
  const refused = [...variables.keys()].filter((name) => isRefusedName(name) && !allow.has(name));
  if (refused.length === 0) return;
  throw new SealexecError(
    "data",
    `it sets ${refused.join(", ")}, which changes how programs load or run code`,
    {
      hint: `if that is meant, allow it by name: --allow ${refused.join(",")} (SEALEXEC_ALLOW)`,
    },
  );
}

/** @throws "data", naming the names */
export function requireNames(variables: Variables, require: readonly string[]): void {
  const absent = require.filter((name) => (variables.get(name)?.sizeBytes ?? 0) === 0);
  if (absent.length === 0) return;
  throw new SealexecError("data", `missing or empty: ${absent.join(", ")}`, {
    hint: "add them to the sealed .env, or take them out of --require (SEALEXEC_REQUIRE)",
  });
}

/**
 * Names of variables, from comma-separated lists.
 *
 * @param option for messages
 * @throws "usage"
 */
export function parseNames(option: string, lists: readonly string[]): string[] {
  const names = lists.flatMap((list) => words(list, /,/));
  for (const name of names) {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new SealexecError("usage", `${option}: ${JSON.stringify(name)} is not the name of a variable`);
    }
  }
  return names;
}

/** The parts of a text that are not empty. */
export function words(text: string | undefined, separator: RegExp): string[] {
  return (text ?? "")
    .split(separator)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}
