/** The table of commands and options, each in the order of help. Texts have `code` between backticks. */
// Made from it: run's quick line, commander's, help, completion, README's tables, docs/reference.md, manual.
export const COMMAND_NAMES = ["run", "push", "pull", "check", "keygen", "completion"] as const;

export type CommandName = (typeof COMMAND_NAMES)[number];

export const GROUPS = {
  common: "Common options",
  sources: "Sources",
  rotation: "Rotation",
  advanced: "Advanced",
} as const;

export interface OptionRow {
  readonly long: string;
  readonly short?: string;
  /** the value's name: a FILE is completed as one, a URI too */
  readonly value?: string;
  readonly kind: "once" | "list" | "switch";
  readonly variable?: string;
  /** what stands between the values in the variable, if the value does not show it */
  readonly between?: "comma" | "white space";
  readonly default?: string;
  /** the only values there are */
  readonly choices?: readonly string[];
  /** values that a shell offers, beside others that there are */
  readonly offers?: readonly string[];
  /** options that it cannot be given with */
  readonly conflicts?: readonly string[];
  readonly group: keyof typeof GROUPS;
  readonly help: string;
  /** what help has no room for */
  readonly more?: string;
  /** the document that says more */
  readonly see?: string;
  /** a long option may have several rows, each for other commands */
  readonly commands: readonly CommandName[];
}

/** `list`: values add up. Without a value it is a switch. */
type Row = Omit<OptionRow, "kind" | "group"> & { readonly list?: true };

const STARTS = ["run", "check"] as const;
const OPENS = ["run", "check", "pull"] as const;
const ASKS = ["run", "push", "pull", "check"] as const;
const ALL = ["run", "push", "pull", "check", "keygen"] as const;

// Options with two rows: each command has a help of its own for them.
const KEY = { long: "--key", value: "KEY", variable: "SEALEXEC_KEY" } as const;
const CONTEXT = {
  long: "--context",
  value: "K=V",
  list: true,
  variable: "SEALEXEC_CONTEXT",
  between: "comma",
} as const;
const ALLOW = {
  long: "--allow",
  value: "NAME,...",
  list: true,
  variable: "SEALEXEC_ALLOW",
  see: "docs/names.md",
} as const;

const ROWS: Readonly<Record<keyof typeof GROUPS, readonly Row[]>> = {
  common: [
    {
      long: "--from",
      short: "-f",
      value: "URI",
      list: true,
      variable: "SEALEXEC_FROM",
      between: "white space",
      help: "where the variables come from; repeatable, later wins",
      see: "docs/sources.md",
      commands: STARTS,
    },
    {
      ...KEY,
      help: "the key that must have sealed it: of KMS by id, ARN or alias, or `local:PATH`",
      commands: OPENS,
    },
    {
      ...KEY,
      help: "the key to seal under: of KMS by id, ARN or alias, for `file:` also `local:PATH`; in other stores the key of what is new",
      more: "must be given for `s3:` and `file:`",
      commands: ["push"],
    },
    {
      long: "--require",
      value: "NAME,...",
      list: true,
      variable: "SEALEXEC_REQUIRE",
      help: "fail unless all are there and not empty",
      commands: STARTS,
    },
    {
      long: "--if-match",
      value: "ETAG",
      conflicts: ["--create", "--replace"],
      help: "replace only this version: the ETag that `push` and `pull -v` show",
      commands: ["push"],
    },
    {
      long: "--replace",
      conflicts: ["--create"],
      help: "replace whatever is there",
      more: "in Parameter Store: remove what the file has not",
      commands: ["push"],
    },
    { long: "--create", help: "only if there is nothing yet", commands: ["push"] },
    {
      long: "--force",
      help: "write also if the same is there already",
      more: "it needs no `--replace` then",
      commands: ["push"],
    },
    {
      long: "--output",
      short: "-o",
      value: "FILE",
      help: "write a file of mode 0600 instead of standard output",
      commands: ["pull"],
    },
    { long: "--force", help: "with `-o`: replace a file that is there", commands: ["pull"] },
    {
      long: "--format",
      value: "FORMAT",
      default: "text",
      choices: ["text", "json", "github"],
      help: "format of the report",
      commands: ["check"],
    },
    { long: "--strict", help: "fail also if there is only a warning, with 65", commands: ["check"] },
    {
      long: "--json",
      help: "say what was done, and what went wrong, as JSON",
      more: "one document on standard output, errors as with `--log json`",
      commands: ["push"],
    },
    {
      long: "--timeout",
      value: "SECONDS",
      variable: "SEALEXEC_TIMEOUT",
      default: "30",
      help: "one deadline for everything",
      more: "0.001 to 3600",
      commands: ALL,
    },
    {
      long: "--log",
      value: "FORMAT",
      variable: "SEALEXEC_LOG",
      choices: ["text", "json"],
      help: "format of the messages on standard error",
      see: "docs/operations.md",
      commands: ALL,
    },
    { long: "--verbose", short: "-v", help: "say on standard error what is done", commands: ALL },
  ],
  sources: [
    { ...CONTEXT, help: "encryption context that must be there, exactly; repeatable", commands: OPENS },
    {
      long: "--accept",
      value: "FORMATS",
      list: true,
      variable: "SEALEXEC_ACCEPT",
      between: "comma",
      offers: ["v2", "kms-gcm", "kms-cbc", "kms-direct", "instruction-file", "unbound"],
      help: "what to read beside v3: `v2,kms-gcm,kms-cbc,kms-direct,instruction-file,unbound`",
      commands: OPENS,
    },
    {
      long: "--min-revision",
      value: "N|TIME",
      variable: "SEALEXEC_MIN_REVISION",
      help: "refuse sealed objects of an older revision",
      more: "and those without one; a time is `2026-11-20T10:00Z`",
      commands: OPENS,
    },
    {
      long: "--max-lag",
      value: "DURATION",
      variable: "SEALEXEC_MAX_LAG",
      help: "refuse objects that were written so long after their revision: old ones put back",
      more: "for objects of S3; `1h`",
      commands: OPENS,
    },
    {
      long: "--only",
      value: "NAME,PREFIX_*,...",
      list: true,
      variable: "SEALEXEC_ONLY",
      help: "take these names and no others from the sources",
      more: "a NAME that none has is an error (65)",
      commands: STARTS,
    },
    { ...ALLOW, help: "let a source set a name that is refused by default", commands: STARTS },
    {
      long: "--explain",
      help: "say on standard error where each variable and the credentials come from",
      more: "names only",
      commands: STARTS,
    },
    {
      long: "--fallback",
      value: "FILE",
      variable: "SEALEXEC_FALLBACK",
      help: "keep what is sealed in S3 in this file, still sealed, for while S3 is away",
      see: "docs/watch.md",
      commands: STARTS,
    },
    {
      long: "--fallback-age",
      value: "DURATION",
      variable: "SEALEXEC_FALLBACK_AGE",
      default: "24h",
      help: "how old it may be",
      commands: STARTS,
    },
  ],
  rotation: [
    {
      long: "--watch",
      variable: "SEALEXEC_WATCH",
      help: "stay as CMD's parent, and follow the sources",
      see: "docs/watch.md",
      commands: STARTS,
    },
    {
      long: "--on-change",
      value: "ACTION",
      variable: "SEALEXEC_ON_CHANGE",
      default: "restart",
      offers: ["restart", "signal:HUP", "exit"],
      help: "when a source has changed: `restart`, `signal:NAME`, or `exit` with status 79",
      commands: STARTS,
    },
    {
      long: "--every",
      value: "DURATION",
      variable: "SEALEXEC_EVERY",
      default: "60s",
      help: "how often the sources are looked at",
      commands: STARTS,
    },
    {
      long: "--grace",
      value: "DURATION",
      variable: "SEALEXEC_GRACE",
      default: "10s",
      help: "how long CMD has to end before it is killed",
      commands: STARTS,
    },
    {
      long: "--on-exit",
      value: "ACTION",
      variable: "SEALEXEC_ON_EXIT",
      default: "exit",
      offers: ["exit", "restart"],
      help: "when CMD ends by itself: `exit` with its status, or `restart`",
      commands: STARTS,
    },
    {
      long: "--env-out",
      value: "FILE",
      variable: "SEALEXEC_ENV_OUT",
      help: "with `signal:NAME`: keep the variables in this file on a tmpfs, mode 0600",
      commands: STARTS,
    },
  ],
  advanced: [
    { ...CONTEXT, help: "encryption context to bind; repeatable", commands: ["push"] },
    { ...ALLOW, help: "names that `run` refuses by default", commands: ["push"] },
    {
      long: "--credentials",
      value: "SOURCE",
      variable: "SEALEXEC_CREDENTIALS",
      help: "AWS credentials made by Vault: `vault:MOUNT/creds/ROLE` or `vault:MOUNT/sts/ROLE`",
      more: "in the place of the usual sources",
      commands: ASKS,
    },
    {
      long: "--keep-existing",
      help: "a variable that is already set wins over the sources",
      commands: STARTS,
    },
    { long: "--pristine", help: "give CMD only the variables of the sources", commands: STARTS },
    {
      long: "--pass",
      value: "NAME,...",
      list: true,
      help: "with `--pristine`: pass these variables too",
      commands: STARTS,
    },
    {
      long: "--drop",
      value: "NAME,PREFIX_*,...",
      list: true,
      variable: "SEALEXEC_DROP",
      help: "do not hand these inherited variables on to CMD",
      more: "what a source sets is set",
      commands: STARTS,
    },
    {
      long: "--nofile",
      value: "SOFT",
      variable: "SEALEXEC_NOFILE",
      help: "soft limit of open files for CMD",
      more: "a number or `unlimited`; the default is the inherited one",
      see: "docs/exec.md",
      commands: STARTS,
    },
    {
      long: "--format",
      value: "FORMAT",
      default: "v3",
      choices: ["v3", "v2"],
      help: "`v3`, or `v2` for old clients",
      see: "docs/envelope.md",
      commands: ["push"],
    },
    {
      long: "--no-bind",
      help: "do not bind the object to its place (for other clients)",
      commands: ["push"],
    },
    {
      long: "--revision",
      value: "N",
      help: "the revision to write, Unix milliseconds; by default now, or one more than what is there",
      commands: ["push"],
    },
  ],
};

export const OPTIONS: readonly OptionRow[] = Object.entries(ROWS).flatMap(([group, rows]) =>
  rows.map((row) => ({ ...row, group: group as keyof typeof GROUPS, kind: kindOf(row) })),
);

function kindOf({ value, list }: Row): OptionRow["kind"] {
  if (value === undefined) return "switch";
  return list === true ? "list" : "once";
}

/** Variables that are 1 or 0, without an option beside them. */
export const SWITCHES = [
  { variable: "SEALEXEC_ALLOW_HTTP", help: "`1` allows `http:` endpoints outside this machine" },
  {
    variable: "SEALEXEC_TRACE",
    help: "`1` has `run` say on standard error, right before the exec, when it reached each moment of its start",
  },
] as const;

/** The variables that are sealexec's own. Those of AWS and Vault are theirs. */
export const VARIABLES: ReadonlySet<string> = new Set(
  [...OPTIONS, ...SWITCHES].flatMap(({ variable }) => variable ?? []),
);

export interface CommandRow {
  readonly summary: string;
  readonly description: string;
  readonly usage: string;
  /** as commander writes them: `<file>`, `[cmd...]` */
  readonly arguments: readonly {
    readonly name: string;
    readonly help: string;
    readonly choices?: readonly string[];
  }[];
  /** the words after CMD are CMD's own */
  readonly endsAtCommand?: boolean;
  readonly examples: readonly string[];
}

export const COMMANDS: Readonly<Record<CommandName, CommandRow>> = {
  run: {
    summary: "open the sources, merge them, and become CMD",
    description: "Opens every source, merges their variables in order, and replaces itself with CMD.",
    usage: "[--from URI]... [options] -- CMD [ARG...]",
    arguments: [{ name: "<cmd...>", help: "the program and its arguments" }],
    endsAtCommand: true,
    examples: [
      "sealexec run --from s3://my-bucket/app.env -- node server.js",
      "sealexec run -f s3://b/base.env -f s3://b/prod.env --require DATABASE_URL -- ./app",
      "sealexec run --watch --every 5m --from s3://my-bucket/app.env -- ./server",
      "sealexec run --watch --on-change signal:HUP --env-out /dev/shm/app.env -f s3://b/app.env -- ./server",
      'ENTRYPOINT ["sealexec","run","--"]        with SEALEXEC_FROM set in the image or task',
    ],
  },
  push: {
    summary: "seal a .env on this machine and upload it",
    description:
      "Checks a `.env` and puts it where the URI says: into S3 or a file sealed on this machine, elsewhere as the store keeps it.",
    usage: "[options] <file> <uri>",
    arguments: [
      { name: "<file>", help: "the `.env` to seal, or `-` for standard input" },
      {
        name: "<uri>",
        help: "where to: `s3://BUCKET/KEY`, `file:PATH`, `secretsmanager://NAME` or `ssm:///PATH/`",
      },
    ],
    examples: [
      "sealexec push .env s3://my-bucket/app.env --key alias/my-app",
      "sealexec push .env s3://my-bucket/app.env --key alias/my-app --if-match ETAG",
      "sealexec push .env secretsmanager://prod/app",
      "sealexec push .env file:app.env.sealed --key alias/my-app",
      "sops -d --output-type json app.enc.env |",
      '  sealexec push - "s3://my-bucket/app.env?format=json" --key alias/my-app --create',
    ],
  },
  pull: {
    summary: "open a sealed .env and print it",
    description:
      "Opens a source and prints it: a sealed `.env` byte for byte as it was sealed, variables as a `.env`.",
    usage: "[options] <uri>",
    arguments: [{ name: "<uri>", help: "`s3://BUCKET/KEY[?versionId=...]`, or any other source of `run`" }],
    examples: ["sealexec pull s3://my-bucket/app.env", "sealexec pull s3://my-bucket/app.env -o .env"],
  },
  check: {
    summary: "everything run would do but the exec, as a report",
    description:
      "Does all that `run` would do but the exec, and reports each step. Takes the options of `run`, and exits as it would.",
    usage: "[--from URI]... [options] [-- CMD]",
    arguments: [{ name: "[cmd...]", help: "look for this program too" }],
    endsAtCommand: true,
    examples: [
      "sealexec check --from s3://my-bucket/app.env --require DATABASE_URL,API_TOKEN",
      "sealexec check --format github            in a GitHub workflow, before the deploy",
    ],
  },
  keygen: {
    summary: "make a local key, for sealed files without KMS",
    description:
      "Makes a key of 32 random bytes, in a new file of mode 0600. Keep it: without it, what it sealed is lost.",
    usage: "[options] <file>",
    arguments: [{ name: "<file>", help: "the file to make" }],
    examples: [
      "sealexec keygen ~/.config/my-app.key",
      "sealexec push .env file:app.env.sealed --key local:$HOME/.config/my-app.key",
    ],
  },
  completion: {
    summary: "print the completion for a shell",
    description:
      "Prints a script that completes commands, options, values and files, without a request and without a process of its own.",
    usage: "bash|zsh|fish",
    arguments: [{ name: "<shell>", help: "the shell", choices: ["bash", "zsh", "fish"] }],
    examples: [
      "sealexec completion bash > ~/.local/share/bash-completion/completions/sealexec",
      "sealexec completion zsh > ~/.zfunc/_sealexec        if ~/.zfunc is in fpath",
      "sealexec completion fish > ~/.config/fish/completions/sealexec.fish",
    ],
  },
};

export function isCommand(word: string): word is CommandName {
  return (COMMAND_NAMES as readonly string[]).includes(word);
}

/** The rows of a command, group after group. */
export function optionsOf(command: CommandName): OptionRow[] {
  const own = OPTIONS.filter(({ commands }) => commands.includes(command));
  return Object.keys(GROUPS).flatMap((name) => own.filter(({ group }) => group === name));
}

/** `--min-revision` → `minRevision`. Asked at every start: no pattern is made for it. */
export function flagName(long: string): string {
  let name = long.slice(2);
  for (let at = name.indexOf("-"); at !== -1; at = name.indexOf("-"))
    name = name.slice(0, at) + name.charAt(at + 1).toUpperCase() + name.slice(at + 2);
  return name;
}
