/** To open: readEnvelope, checkContext, Decrypt, openEnvelope. To seal: writerContext and seal. Pure. */
export {
  BINDING_NAME,
  checkContext,
  FORMAT_NAME,
  RESERVED_CONTEXT_NAMES,
  sealedFormat,
  writerContext,
} from "./context.ts";
export { ACCEPTANCES } from "./format.ts";
export { generateLocalDataKey, LOCAL_KEY_BYTES, unwrapLocalDataKey } from "./local-key.ts";
export type {
  Acceptance,
  Accepted,
  EncryptionContext,
  Envelope,
  Format,
  Metadata,
  SealInput,
  StoredObject,
} from "./format.ts";
export { claimedRevision, readEnvelope, type Reading } from "./metadata.ts";
export { openEnvelope } from "./open.ts";
export { quote } from "./invalid.ts";
export { checkRevision, MOST_AHEAD_MS, parseRevision, REVISION_NAME, SEAL_AGAIN } from "./revision.ts";
export { seal } from "./seal.ts";
