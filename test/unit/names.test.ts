import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isRefusedName, refuseNames, requireNames } from "../../src/names.ts";
import { Secret } from "../../src/secret.ts";
import { refuses } from "./refuses.ts";

const variables = (values: Record<string, string>) =>
  new Map(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));

describe("names that are refused by default", () => {
  // design.md, section 3, rule 4, and one of each prefix's like.
  const refused = [
    "LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT LD_DEBUG_OUTPUT DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH PATH IFS ENV",
    "BASH_ENV NODE_OPTIONS NODE_PATH BUN_OPTIONS PYTHONPATH PYTHONSTARTUP PYTHONHOME PERL5OPT PERL5LIB RUBYOPT",
    "RUBYLIB JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS _JAVA_OPTIONS GIT_SSH_COMMAND GLIBC_TUNABLES GCONV_PATH SHELLOPTS",
    "GIT_CONFIG_KEY_0 GIT_CONFIG_VALUE_17 BASH_FUNC_ls DOTNET_STARTUP_HOOKS OPENSSL_CONF",
  ].flatMap((line) => line.split(" "));
  for (const name of refused) test(name, () => assert.equal(isRefusedName(name), true));

  const taken = [
    "DATABASE_URL PATHS MY_PATH HOME USER ENVIRONMENT NODE_ENV PYTHON_PATH ld_preload path LD LDAP_URL",
    "GITHUB_TOKEN JAVA_HOME TZ LANG AWS_REGION HTTP_PROXY DYLDX BASH",
  ].flatMap((line) => line.split(" "));
  for (const name of taken) test(`not ${name}`, () => assert.equal(isRefusedName(name), false));

  test("all are named, in their order, but no value", () => {
    const given = variables({ LD_PRELOAD: "canary", A: "1", PATH: "canary" });
    const { message, hint } = refuses(() => refuseNames(given, new Set()), "data", /sets LD_PRELOAD, PATH,/);
    assert.doesNotMatch(message + hint, /canary/);
    assert.match(hint ?? "", /--allow LD_PRELOAD,PATH/);
  });

  test("only those are taken that are allowed by name", () => {
    const given = variables({ LD_PRELOAD: "x", PATH: "x" });
    refuses(() => refuseNames(given, new Set(["LD_PRELOAD"])), "data", /sets PATH,/);
    refuses(() => refuseNames(given, new Set(["LD_*", "path"])), "data", /sets LD_PRELOAD, PATH,/);
    refuseNames(given, new Set(["LD_PRELOAD", "PATH", "OTHER"]));
    refuseNames(new Map(), new Set());
  });
});

describe("names that are required", () => {
  test("are there and not empty, or are all named", () => {
    const given = variables({ A: "1", EMPTY: "", SPACE: " " });
    requireNames(given, []);
    requireNames(given, ["A", "SPACE"]);
    refuses(() => requireNames(given, ["A", "EMPTY", "NONE"]), "data", /^missing or empty: EMPTY, NONE$/);
    refuses(() => requireNames(given, ["toString", "__proto__"]), "data", /toString, __proto__/);
  });
});
