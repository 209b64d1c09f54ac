import { SealexecError } from "../base/errors.ts";

/** A role of an AWS secrets engine of Vault, that makes AWS credentials. */
export interface CredentialsRef {
  /** where the engine is mounted */
  readonly mount: string;
  /** `creds`: a new IAM user's keys, or what the role says; `sts`: a session */
  readonly kind: "creds" | "sts";
  readonly role: string;
}

const FORM = "vault:MOUNT/creds/ROLE or vault:MOUNT/sts/ROLE";

/** Parses `vault:MOUNT/creds/ROLE` and `vault:MOUNT/sts/ROLE`, of --credentials or SEALEXEC_CREDENTIALS. */
export function parseCredentialsRef(text: string): CredentialsRef {
  const [, mount = "", kind, role = ""] = /^vault:([^/].*)\/(creds|sts)\/([\w.@-]{1,128})$/.exec(text) ?? [];
  const parts = mount.split("/");
  const valid = /^[\x21-\x7e]{1,256}$/.test(mount) && parts.every((part) => !["", ".", ".."].includes(part));
  if ((kind === "creds" || kind === "sts") && valid && role !== "." && role !== "..")
    return { mount, kind, role };
  // Nothing of it is repeated: it could be a key in the wrong place.
  throw new SealexecError("usage", "--credentials (SEALEXEC_CREDENTIALS) names no source of credentials", {
    hint: `the form is ${FORM}`,
  });
}

/** As it was given. */
export function formatCredentialsRef({ mount, kind, role }: CredentialsRef): string {
  return `vault:${mount}/${kind}/${role}`;
}
