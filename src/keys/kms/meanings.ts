/** What KMS's refusals mean where the name of the key tells more than the code. */
import type { OwnMeaning } from "../../aws/call/failure.ts";

// The account in the ARN that KMS looked for. Nothing else of its message is shown.
const ACCOUNT = /\barn:aws[a-z-]*:kms:[a-z0-9-]*:(\d{12}):/;

// KMS API Reference, "KeyId": neither an ARN nor an alias, but the id of a key, or of one in several regions.
const ID = /^(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i;

/** The meanings for one call. `key` as it was named; undefined: the one that sealed it */
export function kmsMeaning(key: string | undefined, region: string): OwnMeaning {
  return (code, message) => {
    if (code !== "NotFoundException") return undefined;
    const account = ACCOUNT.exec(message)?.[1];
    const isBareAlias = key !== undefined && !/^(arn:|alias\/)/.test(key) && !ID.test(key);
    return {
      kind: "config",
      code: "no-such-key",
      says: `no such KMS key in ${account === undefined ? "this account" : `account ${account}`} and region ${region}`,
      hint: isBareAlias
        ? `an alias begins with alias/: --key alias/${key}`
        : "check --key (SEALEXEC_KEY) and the region; a key of another region or account is named by its ARN",
    };
  };
}
