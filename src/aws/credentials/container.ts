import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { isSet } from "../../base/env.ts";
import type { CredentialSource } from "./source.ts";
import { ask } from "../../http/ask.ts";
import type { Failure } from "../../http/failure.ts";
import { readSmallFile, whyUnread } from "../../base/files/read.ts";
import { parseCredentials } from "./answer.ts";

const LARGEST_ANSWER_BYTES = 64 * 1024;
const ECS_AGENT = "http://169.254.170.2";

/**
 * The credential endpoint of ECS, Fargate and EKS Pod Identity.
 * Source: AWS SDKs and Tools Reference Guide, "Container credential provider".
 */
export function containerSource(env: Environment): CredentialSource {
  const relative = isSet(env, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const name = relative ? "container (ECS)" : "container (full URI: EKS Pod Identity or another agent)";
  return {
    name,
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    load: async ({ network, signal }) => {
      const url = agentUrl(env, name);
      const token = readToken(env, name);
      const headers: Record<string, string> = token === undefined ? {} : { authorization: token };
      const question = { method: "GET", url, headers, largestBody: LARGEST_ANSWER_BYTES } as const;
      const { status, body } = await ask(network, question, signal);
      if (status !== 200) throw new AgentRefusal(status);
      return parseCredentials(body.toString("utf8"));
    },
    classify: (error) => failureOf(error, name),
  };
}

class AgentRefusal extends Error {
  readonly status: number;

  constructor(status: number) {
    super(String(status));
    this.status = status;
  }
}

function agentUrl(env: Environment, name: string): URL {
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] ?? "";
  const url = URL.parse(
    relative === "" ? (env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "") : `${ECS_AGENT}${relative}`,
  );
  if (
    url !== null &&
    (url.protocol === "https:" || (url.protocol === "http:" && isAgentHost(url.hostname)))
  ) {
    return url;
  }
  throw new SealexecError("config", `${name}: the address of the agent is not one that may be asked`, {
    hint: "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https:, loopback or the agent's link-local address",
  });
}

// The ECS agent, the EKS Pod Identity agent and its IPv6 form; otherwise this machine only.
function isAgentHost(host: string): boolean {
  return (
    ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "[::1]", "localhost"].includes(host) ||
    /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host)
  );
}

/** The token's file is read again for each attempt, as it is rotated. */
function readToken(env: Environment, name: string): string | undefined {
  const token = readTokenFile(env) ?? (env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] || undefined);
  if (token === undefined || /^[\x20-\x7e]*$/.test(token)) return token;
  throw new SealexecError("config", `${name}: the authorization token is not one line of text`, {
    hint: "check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN",
  });
}

function readTokenFile(env: Environment): string | undefined {
  const file = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  if (file === undefined || file === "") return undefined;
  try {
    return readSmallFile(file).toString("utf8").trim();
  } catch (error) {
    throw new SealexecError(
      "config",
      `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: ${file} cannot be read (${whyUnread(error)})`,
      {
        hint: "mount the service account's token where this user can read it",
        cause: error,
      },
    );
  }
}

function failureOf(error: unknown, name: string): Failure {
  if (error instanceof SealexecError) return { error };
  const status = error instanceof AgentRefusal ? error.status : undefined;
  if (status !== undefined && status >= 400 && status < 500 && status !== 429) {
    return {
      error: new SealexecError("denied", `${name}: the agent refused to give credentials (${status})`, {
        hint: "check that the task or the service account has a role",
        cause: error,
      }),
    };
  }
  const details = status === undefined ? "" : ` (${status})`;
  return {
    error: new SealexecError("unavailable", `${name}: the agent gives no answer that can be used${details}`, {
      hint: "check that the agent runs and that its link-local address is reachable from this container",
      cause: error,
    }),
    transient: "unreachable",
  };
}
