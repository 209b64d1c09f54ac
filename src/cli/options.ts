/** Options that several commands have, for commander. */
import { Option } from "./commander.ts";
import type { Command } from "./commander.ts";

/** Options of everything that opens sealed objects. */
export function opening(command: Command): Command {
  return command
    .addOption(credentials())
    .option(
      "--key <KEY>",
      "the key that must have sealed it: of KMS by id, ARN or alias, or local:PATH (SEALEXEC_KEY)",
    )
    .addOption(
      repeatable(
        "--context <K=V>",
        "encryption context that must be there, exactly (repeatable; SEALEXEC_CONTEXT)",
      ),
    )
    .addOption(
      list(
        "--accept <FORMATS>",
        "what to read beside v3: v2,kms-gcm,kms-cbc,kms-direct,instruction-file,unbound (SEALEXEC_ACCEPT)",
      ),
    )
    .option("--min-revision <N|TIME>", "refuse sealed objects of an older revision (SEALEXEC_MIN_REVISION)")
    .option(
      "--max-lag <DURATION>",
      "refuse objects that were written so long after their revision: old ones put back (SEALEXEC_MAX_LAG)",
    );
}

/** Where the AWS credentials come from, of everything that asks AWS. */
export function credentials(): Option {
  return new Option(
    "--credentials <SOURCE>",
    "AWS credentials made by Vault: vault:MOUNT/creds/ROLE or vault:MOUNT/sts/ROLE (SEALEXEC_CREDENTIALS)",
  );
}

export function sources(command: Command): Command {
  return opening(
    command.addOption(
      repeatable("-f, --from <URI>", "where the variables come from (repeatable, later wins; SEALEXEC_FROM)"),
    ),
  )
    .addOption(list("--require <NAME,...>", "fail unless all are there and not empty (SEALEXEC_REQUIRE)"))
    .addOption(
      list("--allow <NAME,...>", "let a source set a name that is refused by default (SEALEXEC_ALLOW)"),
    )
    .addOption(
      list("--only <NAME,PREFIX_*,...>", "take these names and no others from the sources (SEALEXEC_ONLY)"),
    )
    .option("--explain", "say on stderr where each variable and the credentials come from");
}

/** Options of a start, beside where its variables come from. */
export function starting(command: Command): Command {
  return watching(
    command
      .option("--keep-existing", "a variable that is already set wins over the sources")
      .option("--pristine", "give CMD only the variables of the sources")
      .addOption(list("--pass <NAME,...>", "with --pristine: pass these variables too"))
      .addOption(
        list("--drop <NAME,PREFIX_*,...>", "do not hand these inherited variables on to CMD (SEALEXEC_DROP)"),
      )
      .option("--nofile <SOFT>", "soft limit of open files for CMD (SEALEXEC_NOFILE)")
      .option("--fallback <FILE>", "keep what is sealed in S3 here, for while S3 is away (SEALEXEC_FALLBACK)")
      .option("--fallback-age <DURATION>", "how old it may be, default 24h (SEALEXEC_FALLBACK_AGE)"),
  );
}

/** Options of `run --watch`. */
function watching(command: Command): Command {
  return command
    .option("--watch", "stay behind as CMD's parent, and follow the sources (SEALEXEC_WATCH=1)")
    .option(
      "--on-change <ACTION>",
      "where a source has changed: restart (the default), signal:NAME or exit, with status 79 (SEALEXEC_ON_CHANGE)",
    )
    .option("--every <DURATION>", "how often the sources are looked at, default 60s (SEALEXEC_EVERY)")
    .option("--grace <DURATION>", "how long CMD has to end before it is killed, default 10s (SEALEXEC_GRACE)")
    .option(
      "--on-exit <ACTION>",
      "where CMD ends by itself: exit with its status (the default) or restart (SEALEXEC_ON_EXIT)",
    )
    .option(
      "--env-out <FILE>",
      "with signal:NAME: keep the variables in this file on a tmpfs, mode 0600 (SEALEXEC_ENV_OUT)",
    );
}

export function common(command: Command): Command {
  return command
    .option("--timeout <SECONDS>", "one deadline for everything, default 30 (SEALEXEC_TIMEOUT)")
    .addOption(new Option("--log <FORMAT>", "of messages on stderr (SEALEXEC_LOG)").choices(["text", "json"]))
    .option("-v, --verbose", "say on stderr what is done");
}

/** An option whose values add up, whether it is given several times or not. */
export function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser((value: string, before: string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);
}

export const list = repeatable;
