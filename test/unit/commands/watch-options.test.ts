import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseSignal, parseWatchOptions } from "../../../src/commands/watch-options.ts";
import type { WatchFlags } from "../../../src/commands/watch-options.ts";
import { refuses } from "../refuses.ts";

describe("the options of --watch", () => {
  test("what is not said is restart, a minute, ten seconds, exit", () => {
    assert.deepEqual(parseWatchOptions({ watch: true }, {}), {
      everyMs: 60_000,
      onChange: { do: "restart" },
      graceMs: 10_000,
      onExit: "exit",
      envOut: undefined,
    });
  });

  test("by variables, and a flag wins", () => {
    const env = {
      SEALEXEC_WATCH: "1",
      SEALEXEC_ON_CHANGE: "signal:USR1",
      SEALEXEC_EVERY: "5m",
      SEALEXEC_GRACE: "1s",
      SEALEXEC_ON_EXIT: "restart",
      SEALEXEC_ENV_OUT: "/run/x",
    };
    const how = parseWatchOptions({ every: "10s" }, env);
    assert.deepEqual(how, {
      everyMs: 10_000,
      onChange: { do: "signal", name: "SIGUSR1" },
      graceMs: 1_000,
      onExit: "restart",
      envOut: "/run/x",
    });
  });

  test("variables without --watch mean nothing, as an image may set them for those who watch", () => {
    assert.equal(parseWatchOptions({}, { SEALEXEC_EVERY: "nonsense", SEALEXEC_WATCH: "0" }), undefined);
    for (const text of ["yes", ""]) {
      refuses(() => parseWatchOptions({}, { SEALEXEC_WATCH: text }), "usage", /neither 1 nor 0$/);
    }
  });

  test("no more often than ten times a second, no seldomer than once a day; no grace is one, too", () => {
    const read = (given: WatchFlags) => parseWatchOptions({ watch: true, ...given }, {});
    assert.equal(read({ every: "100ms" })?.everyMs, 100);
    assert.equal(read({ every: "24h" })?.everyMs, 86_400_000);
    for (const every of ["0", "99ms", "25h"])
      refuses(
        () => read({ every }),
        "usage",
        /^--every \(SEALEXEC_EVERY\) is not a duration from 100ms to 1d$/,
      );
    assert.equal(read({ grace: "0" })?.graceMs, 0);
    refuses(() => read({ grace: "25h" }), "usage", /^--grace .* from 0ms to 1d$/);
  });

  const flags: Readonly<Record<string, WatchFlags>> = {
    "--on-change": { onChange: "exit" },
    "--every": { every: "1s" },
    "--grace": { grace: "1s" },
    "--on-exit": { onExit: "exit" },
    "--env-out": { envOut: "/x" },
  };
  for (const [flag, given] of Object.entries(flags)) {
    test(`${flag} without --watch is a mistake`, () => {
      refuses(() => parseWatchOptions(given, {}), "usage", new RegExp(`^${flag} is for --watch$`));
    });
  }

  test("signals by their names, with SIG and without; none that could not be handled", () => {
    for (const name of ["HUP", "SIGHUP", "USR2", "WINCH", "TERM", "INT"]) {
      assert.equal(parseSignal(name), `SIG${name.replace("SIG", "")}`);
    }
    for (const name of ["", "KILL", "SIGSTOP", "CHLD", "CONT", "hup", "1", "SIGSIGHUP", "toString"]) {
      assert.equal(parseSignal(name), undefined, name);
    }
  });
});
