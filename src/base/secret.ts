/**
 * toString, JSON and the inspectors of Node and Bun all say `[secret]`. `reveal` is called in few places:
 * to build the environment of CMD, for a user who asked for the text, and to give it to a store.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  equals(other: Secret): boolean {
    return this.#value === other.#value;
  }

  /** Length in UTF-8 bytes, for size checks that need not see the value. */
  get sizeBytes(): number {
    return Buffer.byteLength(this.#value);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return "[secret]";
  }
}

/** Names and values in the order in which they were read. */
export type Variables = ReadonlyMap<string, Secret>;
