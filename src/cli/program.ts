/** The command line by commander: declares the commands and their options. A command's code is loaded when it is called. */
import { Command, CommanderError, Option } from "./commander.ts";
import { SealexecError } from "../errors.ts";
import { VERSION } from "../version.ts";
import type { World } from "../world.ts";
import { createContext } from "./context.ts";
import type { CommonFlags } from "./context.ts";
import { common, credentials, list, opening, repeatable, sources, starting } from "./options.ts";
import { readStart, startRun } from "./run.ts";
import type { RunCliFlags } from "./run-flags.ts";

const EXIT_HELP = `
Exit status: CMD's own, because sealexec is CMD by then. Before that:
  64 wrong usage                      75 the deadline passed
  65 the sealed data is not valid     77 no credentials, or refused
  66 no such object or version        78 configuration: region, endpoint, key state
  69 a service cannot be reached      126, 127 CMD cannot be executed, is not there
  70 a bug in sealexec                128+n a signal ended it before exec
With --watch, CMD's own or 128+n; 79 where --on-change exit ended it to be started again.
push: 80 somebody else's change stands in the way`;

type StartRun = typeof startRun;

/**
 * Runs a command line. Returns the exit status where the command has done its work; `run` never returns.
 *
 * @param start what `run` does once its line is read
 */
export async function runProgram(world: World, start: StartRun = startRun): Promise<number> {
  const shown: string[] = [];
  const outcome = { status: 0 };
  const program = new Command("sealexec")
    .description("Opens secrets from S3 and other stores, and becomes the program that needs them.")
    .version(VERSION, "-V, --version")
    .configureOutput({
      writeOut: (text) => void shown.push(text),
      // Usage errors are thrown and printed by bin/ like all others.
      writeErr: () => {},
    })
    .enablePositionalOptions()
    .showHelpAfterError(false)
    .exitOverride();
  addRun(program, world, outcome, start);
  addPush(program, world);
  addPull(program, world);
  addCheck(program, world, outcome);
  addKeygen(program, world);
  program.addHelpText("after", "\nsealexec help COMMAND shows the options of a command, with examples.");
  if (world.args.length === 0) {
    world.writeError(program.helpInformation());
    throw new SealexecError("usage", "no command", {
      hint: "sealexec run --from URI -- CMD, or sealexec --help",
    });
  }
  try {
    await program.parseAsync(withoutLostHelp(world.args, program), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) throw usageError(error, program);
    await world.writeOutput(shown.join(""));
  }
  return outcome.status;
}

/** `help hepl`, `help --json`: what is no command is taken for itself, and answered as such. */
function withoutLostHelp(args: readonly string[], program: Command): string[] {
  const [first, second] = args;
  const isLost =
    first === "help" &&
    second !== undefined &&
    !program.commands.some((command) => command.name() === second);
  return isLost ? withoutLostHelp(args.slice(1), program) : [...args];
}

/** Commander's message in our form: lower case, no full stop, and no words of the command line but names. */
function usageError(error: CommanderError, program: Command): SealexecError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const [, given] = /^unknown option '([^=']*)=/.exec(first) ?? [];
  if (given !== undefined && isSwitch(given, program))
    return new SealexecError("usage", `option '${given}' takes no value`, { cause: error });
  const message = first
    .replace(/\.$/, "")
    .replace(/\. ([A-Z])/g, (_, letter: string) => `: ${letter.toLowerCase()}`)
    // What was given too much, or behind "=" to an option that is not there, could be a value.
    .replace(/(but got \d+): .*$/, "$1")
    .replace(/^(unknown option '[^=']*)=.*$/, "$1'");
  const suggestion = rest.join(" ").replace(/[()]/g, "").trim().toLowerCase();
  return new SealexecError("usage", message, {
    ...(suggestion === "" ? {} : { hint: suggestion }),
    cause: error,
  });
}

/** An option that there is, and that commander did not take with a value. */
function isSwitch(given: string, program: Command): boolean {
  const known = [program, ...program.commands].flatMap(({ options }) => options.map(({ long }) => long));
  return given === "--help" || known.includes(given);
}

function addRun(program: Command, world: World, outcome: { status: number }, start: StartRun): void {
  const command = sources(program.command("run"))
    .summary("open the sources, merge them, and become CMD")
    .description("Opens every source, merges their variables in order, and replaces itself with CMD.")
    .usage("[--from URI]... [options] -- CMD [ARG...]")
    .argument("<cmd...>", "the program and its arguments")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
Sources, each over the one before it:
  s3://BUCKET/KEY              a sealed object          env-file:PATH   a mounted .env
  file:PATH                    a sealed file            dir:PATH        a file for each variable
  secretsmanager://NAME[#KEY]  AWS Secrets Manager      json-file:PATH  a flat JSON object
  ssm:///PATH/                 SSM Parameter Store
  vault://MOUNT/PATH           HashiCorp Vault

Examples:
  sealexec run --from s3://my-bucket/app.env -- node server.js
  sealexec run -f s3://b/base.env -f s3://b/prod.env --require DATABASE_URL -- ./app
  sealexec run --watch --every 5m --from s3://my-bucket/app.env -- ./server
  sealexec run --watch --on-change signal:HUP --env-out /dev/shm/app.env -f s3://b/app.env -- ./server
  ENTRYPOINT ["sealexec","run","--"]        with SEALEXEC_FROM set in the image or task
${EXIT_HELP}`,
    );
  common(starting(command)).action(async (words: string[], flags: RunCliFlags) => {
    outcome.status = await start(words, flags, world);
  });
}

function addPush(program: Command, world: World): void {
  const command = program
    .command("push")
    .summary("seal a .env on this machine and upload it")
    .description(
      "Checks a .env and puts it where the URI says: into S3 or a file sealed on this machine, elsewhere as the store keeps it.",
    )
    .argument("<file>", "the .env to seal, or - for standard input")
    .argument("<uri>", "where to: s3://BUCKET/KEY, file:PATH, secretsmanager://NAME or ssm:///PATH/")
    .addOption(
      new Option(
        "--key <KEY>",
        "KMS key id, ARN or alias, for file: also local:PATH; in other stores the key of what is new (SEALEXEC_KEY)",
      ),
    )
    .addOption(credentials())
    .addOption(repeatable("--context <K=V>", "encryption context to bind (repeatable; SEALEXEC_CONTEXT)"))
    .addOption(
      new Option("--format <FORMAT>", "v3, or v2 for old clients").choices(["v3", "v2"]).default("v3"),
    )
    .option("--no-bind", "do not bind the object to its place (for other clients)")
    .addOption(
      new Option("--if-match <ETAG>", "replace only this version (pull -v shows it)").conflicts([
        "create",
        "replace",
      ]),
    )
    .addOption(new Option("--replace", "replace whatever is there").conflicts("create"))
    .option("--create", "only where there is nothing yet")
    .option("--force", "write also where there is the same already")
    .option("--revision <N>", "the revision to write, Unix milliseconds; by default now, or the next one")
    .option("--json", "say what was done, and what went wrong, as JSON")
    .addOption(list("--allow <NAME,...>", "names that run refuses by default (SEALEXEC_ALLOW)"))
    .addHelpText(
      "after",
      `
Examples:
  sealexec push .env s3://my-bucket/app.env --key alias/my-app
  sealexec push .env s3://my-bucket/app.env --key alias/my-app --if-match ETAG
  sealexec push .env secretsmanager://prod/app
  sealexec push .env file:app.env.sealed --key alias/my-app
  sops -d --output-type json app.enc.env |
    sealexec push - "s3://my-bucket/app.env?format=json" --key alias/my-app --create`,
    );
  common(command).action(async (file: string, uri: string, flags: PushCliFlags) => {
    const context = await createContext(world, flags.json === true ? { ...flags, log: "json" } : flags);
    const { pushFile } = await import("../desk/push.ts");
    await pushFile(file, uri, flags, world, context);
    context.deadline.clear();
  });
}

type PushCliFlags = CommonFlags & import("../desk/push-flags.ts").PushFlags;

function addPull(program: Command, world: World): void {
  const command = program
    .command("pull")
    .summary("open a sealed .env and print it")
    .description(
      "Opens a source and prints it: a sealed .env byte for byte as it was sealed, variables as a .env.",
    )
    .argument("<uri>", "s3://BUCKET/KEY[?versionId=...], or any other source of run")
    .option("-o, --output <FILE>", "write a file of mode 0600 instead of standard output")
    .option("--force", "with -o: replace a file that is there")
    .addHelpText(
      "after",
      `
Examples:
  sealexec pull s3://my-bucket/app.env
  sealexec pull s3://my-bucket/app.env -o .env`,
    );
  common(opening(command)).action(async (uri: string, flags: PullCliFlags) => {
    const context = await createContext(world, flags);
    const { pullFile } = await import("../desk/pull.ts");
    await pullFile(uri, flags, world, context);
    context.deadline.clear();
  });
}

type PullCliFlags = CommonFlags & import("../desk/pull.ts").PullFlags;

function addCheck(program: Command, world: World, outcome: { status: number }): void {
  const command = sources(program.command("check"))
    .summary("everything run would do but the exec, as a report")
    .description(
      "Does all that run would do but the exec, and reports each step. Takes the options of run, and exits as it would.",
    )
    .usage("[--from URI]... [options] [-- CMD]")
    .argument("[cmd...]", "look for this program too")
    .addOption(
      new Option("--format <FORMAT>", "of the report").choices(["text", "json", "github"]).default("text"),
    )
    .option("--strict", "fail also where there is only a warning, with 65")
    .passThroughOptions()
    .addHelpText(
      "after",
      `
Examples:
  sealexec check --from s3://my-bucket/app.env --require DATABASE_URL,API_TOKEN
  sealexec check --format github            in a GitHub workflow, before the deploy`,
    );
  common(starting(command)).action(async (words: string[], flags: CheckCliFlags) => {
    const { checkStart, listen } = await import("../check/check.ts");
    const heard = listen();
    const inJson = flags.format === "json" ? { ...flags, log: "json" } : flags;
    const context = await createContext(world, inJson, heard);
    const start = { ...(await readStart("check", words, flags, world)), command: words[0] };
    outcome.status = await checkStart(start, flags, world, context, heard);
  });
}

type CheckCliFlags = RunCliFlags & import("../check/check.ts").CheckFlags;

function addKeygen(program: Command, world: World): void {
  const command = program
    .command("keygen")
    .summary("make a local key, for sealed files without KMS")
    .description(
      "Makes a key of 32 random bytes, in a new file of mode 0600. Keep it: without it, what it sealed is lost.",
    )
    .argument("<file>", "the file to make")
    .addHelpText(
      "after",
      `
Examples:
  sealexec keygen ~/.config/my-app.key
  sealexec push .env file:app.env.sealed --key local:$HOME/.config/my-app.key`,
    );
  common(command).action(async (file: string, flags: CommonFlags) => {
    const context = await createContext(world, flags);
    const { makeKeyFile } = await import("../desk/keygen.ts");
    await makeKeyFile(file, world);
    context.deadline.clear();
  });
}
