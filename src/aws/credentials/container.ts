import type { Environment } from "../../base/env.ts";
import { SealexecError } from "../../base/errors.ts";
import { ask } from "../../http/ask.ts";
import type { Failure } from "../../http/failure.ts";
import { isLoopback } from "../../http/rules.ts";
import { readTokenFile } from "../settings.ts";
import { parseCredentials } from "./answer.ts";
import type { CredentialSource } from "./source.ts";

const LARGEST_ANSWER_BYTES = 64 * 1024;
const ECS_AGENT = "http://169.254.170.2";
// The ECS agent, the EKS Pod Identity agent and its IPv6 form.
const AGENT_HOSTS = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"];

/** ECS, Fargate and EKS Pod Identity: AWS SDKs and Tools Reference Guide, "Container credential provider". */
export function containerSource(env: Environment): CredentialSource {
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] ?? "";
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] ?? "";
  const name =
    relative === "" ? "container (full URI: EKS Pod Identity or another agent)" : "container (ECS)";
  return {
    name,
    attemptMs: 1_500,
    // It is one hop away: what does not answer for so long is not there.
    budgetMs: 5_000,
    load: async ({ network, signal }) => {
      const url = agentUrl(relative === "" ? full : `${ECS_AGENT}${relative}`, name);
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

function agentUrl(text: string, name: string): URL {
  const url = URL.parse(text);
  const isAgent =
    url?.protocol === "https:" ||
    (url?.protocol === "http:" && (isLoopback(url.hostname) || AGENT_HOSTS.includes(url.hostname)));
  if (url !== null && isAgent) return url;
  throw new SealexecError("config", `${name}: the address of the agent is not one that may be asked`, {
    hint: "AWS_CONTAINER_CREDENTIALS_FULL_URI must be https:, loopback or the agent's link-local address",
  });
}

function readToken(env: Environment, name: string): string | undefined {
  const token =
    readTokenFile(env, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") ??
    (env["AWS_CONTAINER_AUTHORIZATION_TOKEN"] || undefined);
  if (token === undefined || /^[\x20-\x7e]*$/.test(token)) return token;
  throw new SealexecError("config", `${name}: the authorization token is not one line of text`, {
    hint: "check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN",
  });
}

function failureOf(cause: unknown, name: string): Failure {
  if (cause instanceof SealexecError) return { error: cause };
  const status = cause instanceof AgentRefusal ? cause.status : undefined;
  if (status !== undefined && status >= 400 && status < 500 && status !== 429) {
    const says = `${name}: the agent refused to give credentials (${status})`;
    const hint = "check that the task or the service account has a role";
    return { error: new SealexecError("denied", says, { hint, cause }) };
  }
  const says = `${name}: the agent gives no answer that can be used${status === undefined ? "" : ` (${status})`}`;
  const hint = "check that the agent runs and that its link-local address is reachable from this container";
  return { error: new SealexecError("unavailable", says, { hint, cause }), transient: "unreachable" };
}
