/** What a container may lack: a writable root, HOME, /etc/passwd, CA files, a shell, every library but glibc. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { ARTEFACTS, BINARY, KEY, push, runProcess, withAws } from "../harness.ts";
import type { Outcome } from "../harness.ts";
import { differences, parseReport } from "./probe.ts";
import { buildPrograms, isRoot, skipReason } from "./programs.ts";

const programs = buildPrograms();
const skip = isRoot ? skipReason(programs, "unshare", "chroot", "mount", "ldd") : "needs root";

// proc of the new namespace, the artefact by a bind mount, and all of it read-only; then uid 1000 in there.
const ENTER = `
root=$1; artefact=$2; shift 2
mount --make-rprivate / && mount --bind "$root" "$root" && mount --bind "$artefact" "$root/sealexec" &&
mount -t proc proc "$root/proc" && mount -o remount,bind,ro "$root" && cd / &&
exec chroot --userspec=1000:1000 --groups= "$root" "$@"`;

describe(
  "binary: a root that has nothing but glibc and /proc, read-only, uid 1000, no HOME",
  { skip },
  () => {
    let root = "";
    before(() => {
      root = mkdtempSync(`${tmpdir()}/sealexec-root-`);
      mkdirSync(`${root}/proc`);
      writeFileSync(`${root}/sealexec`, "");
      copyFileSync(programs?.probe ?? "", `${root}/probe`);
      for (const library of libraries()) {
        mkdirSync(dirname(root + library), { recursive: true });
        copyFileSync(library, root + library);
      }
      execFileSync("chmod", ["-R", "a+rX", root]);
      execFileSync("chmod", ["a+x", `${root}/probe`]);
    });
    after(() => rmSync(root, { recursive: true, force: true }));

    const inside = (words: readonly string[], env: Readonly<Record<string, string>>): Promise<Outcome> => {
      const enter = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", ENTER, "sh"];
      return runProcess([...enter, root, BINARY, ...words], { env });
    };

    test("CMD runs and sees what it sees without sealexec", async () => {
      await withAws(async (aws) => {
        const uri = await push(aws, "app.env", "PROBE_ADDED='by the sealed object'\n");
        const direct = await inside(["/probe", "-"], aws.env());
        const command = ["/sealexec", "run", "--from", uri, "--key", KEY, "--", "/probe", "-"];
        const through = await inside(command, aws.env());
        assert.deepEqual({ ...through, stdout: "" }, { status: 0, signal: null, stdout: "", stderr: "" });
        assert.equal(parseReport(through.stdout).pid, 1);
        assert.match(through.stdout, /^env: PROBE_ADDED=by the sealed object$/m);
        assert.match(through.stdout, /^ids: 1000 1000 1000, 1000 1000 1000$/m);
        assert.doesNotMatch(through.stdout, /^env: HOME=/m);
        assert.deepEqual(differences(parseReport(direct.stdout), parseReport(through.stdout)), []);
      });
    });

    test("a missing CMD is 127, a failing source its status", async () => {
      await withAws(async (aws) => {
        const uri = await push(aws, "app.env", "A=b\n");
        const run = ["/sealexec", "run", "--from"];
        const missing = await inside([...run, uri, "--", "app"], aws.env());
        assert.equal(missing.status, 127);
        assert.match(missing.stderr, /^sealexec: error: command: app: not found in PATH\n/);
        const nothing = await inside([...run, `${uri}.not`, "--", "/probe"], aws.env());
        assert.equal(nothing.status, 66);
        assert.match(nothing.stderr, /app\.env\.not/);
      });
    });
  },
);

const bwrap = isRoot ? skipReason(programs, "bwrap") : "needs root";

// This machine's files, read-only, but an empty /etc (no passwd, no CA files, no ld.so.cache) and no home.
const BARE = [
  "bwrap --ro-bind / / --tmpfs /etc --tmpfs /root --tmpfs /home",
  "--remount-ro /etc --remount-ro /root --remount-ro /home",
  "--dev /dev --proc /proc --unshare-pid --die-with-parent",
]
  .join(" ")
  .split(" ");

describe("a read-only root, no HOME, nothing in /etc", { skip: bwrap }, () => {
  for (const artefact of ARTEFACTS) {
    test(`${artefact.name}: CMD runs`, async (context) => {
      // A checkout under /root or /home is hidden by these.
      if (/^\/(root|home)\//.test(BINARY)) return context.skip("the artefacts are in a home directory");
      await withAws(async (aws) => {
        const uri = await push(aws, "app.env", "GREETING=hello\n");
        const script = 'test -z "$HOME" && ! test -e /etc/passwd && ! touch /x 2>&- && printf %s "$GREETING"';
        const command = ["run", "--from", uri, "--key", KEY, "--", "/bin/sh", "-c", script];
        const outcome = await runProcess([...BARE, ...artefact.command, ...command], { env: aws.env() });
        assert.deepEqual(outcome, { status: 0, signal: null, stdout: "hello", stderr: "" });
      });
    });
  }
});

/** The files that the dynamic loader needs for the binary: itself, and glibc's libraries. */
function libraries(): string[] {
  const text = execFileSync("ldd", [BINARY], { encoding: "utf8" });
  return [...text.matchAll(/(?:=> |^\s+)(\/\S+) \(0x/gm)].map(([, file]) => file ?? "");
}
