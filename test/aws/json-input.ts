import { ServiceError } from "./http.ts";
import type { EncryptionContext } from "./kms-blob.ts";

/** The JSON input of a call, read member by member; what is not right is a ValidationException. */
export class JsonInput {
  readonly #members: Readonly<Record<string, unknown>>;

  constructor(members: Readonly<Record<string, unknown>>) {
    this.#members = members;
  }

  static parse(body: Buffer): JsonInput {
    return JsonInput.tryParse(body) ?? serialization();
  }

  static tryParse(body: Buffer): JsonInput | undefined {
    try {
      const value: unknown = JSON.parse(body.length === 0 ? "{}" : body.toString("utf8"));
      return isRecord(value) ? new JsonInput(value) : undefined;
    } catch {
      return undefined;
    }
  }

  get keyId(): string | undefined {
    const value = this.#members["KeyId"];
    return typeof value === "string" ? value : undefined;
  }

  get hasContext(): boolean {
    return isRecord(this.#members["EncryptionContext"]);
  }

  get context(): EncryptionContext {
    const value = this.#members["EncryptionContext"] ?? {};
    if (!isRecord(value)) return serialization();
    return Object.fromEntries(
      Object.entries(value).map(([name, text]) => [name, typeof text === "string" ? text : serialization()]),
    );
  }

  /** The member where it is a text; nothing is checked. */
  plainText(member: string): string | undefined {
    const value = this.#members[member];
    return typeof value === "string" ? value : undefined;
  }

  text(member: string): string | undefined {
    const value = this.#members[member];
    if (value === undefined || value === null) return undefined;
    return typeof value === "string" ? value : serialization();
  }

  required(member: string): string {
    const value = this.text(member);
    if (value === undefined) throw invalid(member, "Member must not be null");
    if (value === "") throw invalid(member, "Member must have length greater than or equal to 1");
    return value;
  }

  number(member: string): number | undefined {
    const value = this.#members[member];
    if (value === undefined || value === null) return undefined;
    return typeof value === "number" ? value : serialization();
  }

  flag(member: string): boolean {
    const value = this.#members[member] ?? false;
    return typeof value === "boolean" ? value : serialization();
  }

  texts(member: string): string[] | undefined {
    const value = this.#members[member];
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) return serialization();
    return value.map((text) => (typeof text === "string" ? text : serialization()));
  }

  /** Base64 → 1 to maxBytes bytes. */
  blob(member: string, maxBytes: number): Buffer {
    const text = this.required(member);
    const bytes = Buffer.from(text, "base64");
    if (bytes.toString("base64") !== text) return serialization();
    if (bytes.length > maxBytes)
      throw invalid(member, `Member must have length less than or equal to ${maxBytes}`);
    return bytes;
  }

  /** KeySpec or NumberOfBytes (1 to 1024), exactly one of them ("GenerateDataKey", KMS API Reference). */
  dataKeyBytes(): number {
    const spec = this.text("KeySpec");
    const bytes = this.number("NumberOfBytes");
    if ((spec === undefined) === (bytes === undefined))
      throw new ServiceError(
        400,
        "ValidationException",
        "Please specify either number of bytes or key spec.",
      );
    if (bytes !== undefined && !(bytes >= 1 && bytes <= 1024))
      throw invalid("numberOfBytes", "Member must have value less than or equal to 1024");
    if (spec !== undefined && spec !== "AES_256" && spec !== "AES_128")
      throw invalid("keySpec", "Member must satisfy enum value set: [AES_256, AES_128]");
    return bytes ?? (spec === "AES_256" ? 32 : 16);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(member: string, constraint: string): ServiceError {
  const name = member.charAt(0).toLowerCase() + member.slice(1);
  return new ServiceError(
    400,
    "ValidationException",
    `1 validation error detected: Value at '${name}' failed to satisfy constraint: ${constraint}`,
  );
}

function serialization(): never {
  throw new ServiceError(400, "SerializationException", "");
}
