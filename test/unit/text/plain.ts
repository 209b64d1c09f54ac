import { JsonLiteral } from "../../../src/text/json-scan.ts";
import type { JsonValue } from "../../../src/text/json-scan.ts";

/** What JSON.parse would have made of it. */
export function plain(value: JsonValue): unknown {
  if (value instanceof JsonLiteral) return JSON.parse(value.text);
  if (value instanceof Map) {
    return Object.fromEntries([...(value as ReadonlyMap<string, JsonValue>)].map(([k, v]) => [k, plain(v)]));
  }
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(plain) : value;
}
