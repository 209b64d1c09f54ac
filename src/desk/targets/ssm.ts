/** `sealexec push` to Systems Manager: a SecureString for each variable, one after the other. */
import { step } from "../../base/context.ts";
import { SealexecError } from "../../base/errors.ts";
import { Secret } from "../../base/secret.ts";
import { lastPart, spellingsOf, variableName } from "../../stores/ssm/names.ts";
import { listParameters, ssmNeed } from "../../stores/ssm/read.ts";
import { SSM_GRAMMAR, formatSsmUri, ssmRef, type SsmRef } from "../../stores/ssm/ref.ts";
import { checkParameters, removeParameters, writeParameters } from "../../stores/ssm/write.ts";
import { RunTools } from "../../sources/tools.ts";
import { changesBetween, list, type Changes } from "../changes.ts";
import { storeKey } from "../target.ts";
import type { CheckedFile, Look, PushOptions, TargetStore, Written } from "../target.ts";

/** Far more than an environment holds. */
const LARGEST_FILE_BYTES = 4 * 1024 * 1024;

type SsmPath = Extract<SsmRef, { readonly kind: "path" }>;

interface Job {
  readonly ref: SsmPath;
  readonly name: string;
  readonly key: string | undefined;
  /** remove what the file has not */
  readonly replace: boolean;
}

export const ssm: TargetStore = {
  grammar: SSM_GRAMMAR,
  target: (parsed, options, context) => {
    const ref = pathOf(ssmRef(parsed));
    const key = storeKey("Systems Manager", options);
    refuseConditions(options);
    const name = formatSsmUri(ref);
    const job = { ref, name, key: key?.text, replace: options.replace };
    return {
      name,
      noun: "parameters",
      largestBytes: LARGEST_FILE_BYTES,
      look: (file) => look(job, file, new RunTools(context, key, options.credentials)),
    };
  },
};

async function look(job: Job, file: CheckedFile, tools: RunTools): Promise<Look> {
  const { ref, name, replace } = job;
  file.plaintext.fill(0);
  await step(tools.context, "object", name, () => checkParameters(file.variables));
  await tools.session.begin([ssmNeed(ref)]);
  const found = await step(tools.context, "object", name, () => listed(job, file, tools));
  return {
    present: { kind: "parts", changes: found.changes },
    write: async () => {
      const { context } = tools;
      const write = { variables: file.variables, spellings: found.spellings, key: job.key };
      await step(context, "object", name, () => writeParameters(ref, write, tools));
      if (replace) await step(context, "object", name, () => removeParameters(ref, found.others, tools));
      return reportOf(job, file, found.others);
    },
  };
}

interface Listed {
  /** variable → the parameter that gives it, its last part */
  readonly spellings: ReadonlyMap<string, string>;
  /** the last parts of the parameters that the file has not */
  readonly others: readonly string[];
  /** undefined: the values may not be read */
  readonly changes: Changes | undefined;
}

/** What is there. If it may not be listed, nothing is to be removed. */
async function listed({ ref, name, replace }: Job, file: CheckedFile, tools: RunTools): Promise<Listed> {
  try {
    const { parameters, areDecrypted } = await listParameters(ref, tools);
    const spellings = spellingsOf(parameters, replace);
    const isOfFile = (part: string): boolean => {
      const variable = variableName(part);
      return file.variables.has(variable) && spellings.get(variable) === part;
    };
    const parts = parameters.map(lastPart);
    const others = parts.filter((part) => !isOfFile(part)).toSorted();
    if (!areDecrypted) return { spellings, others, changes: undefined };
    const before = parameters.map((found): [string, Secret] => {
      const part = lastPart(found);
      return [isOfFile(part) ? variableName(part) : part, new Secret(found.value)];
    });
    const changes = changesBetween(new Map(before), file.variables);
    return { spellings, others, changes: replace ? changes : { ...changes, removed: [] } };
  } catch (error) {
    if (replace || !(error instanceof SealexecError) || error.kind !== "denied") throw error;
    tools.context.log.warn(
      `${name}: what is there cannot be listed: parameters that the file has not, or spells in another way, stay`,
      error.hint,
    );
    return { spellings: new Map(), others: [], changes: undefined };
  }
}

function reportOf(
  { ref, key, replace }: Job,
  { variables }: CheckedFile,
  others: readonly string[],
): Written {
  const used = key ?? "alias/aws/ssm";
  const rest = others.length === 0 ? "none" : list(others);
  const written = `${variables.size} of ${variables.size}, one by one: a reader meanwhile finds some of each`;
  return {
    state: { key: used },
    kept: replace ? [] : others,
    facts: [
      ["path", ref.path],
      ["type", "SecureString"],
      ["key", used],
      ["written", written],
      replace ? ["removed", rest] : ["kept", others.length === 0 ? rest : `${rest} (--replace removes them)`],
      ["variables", String(variables.size)],
    ],
  };
}

/** Systems Manager writes each parameter by itself, whatever is there. */
function refuseConditions({ create, ifMatch }: PushOptions): void {
  const flag = create ? "--create" : ifMatch === undefined ? undefined : "--if-match";
  if (flag === undefined) return;
  const what = `${flag} is for what is written at once: parameters are written one by one`;
  throw new SealexecError("usage", what, { hint: "look at what is there first: sealexec pull" });
}

function pathOf(ref: SsmRef): SsmPath {
  if (ref.kind === "path" && !ref.recursive) return ref;
  throw new SealexecError("usage", "a push writes the parameters of one path: the URI ends with a slash", {
    hint: "ssm:///PATH/[?region=REGION]",
  });
}
