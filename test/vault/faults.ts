/** What can go wrong between a client and Vault. The first rule that strikes acts; delays add up. */

export type Action =
  | { readonly action: "delay"; readonly delayMs: number }
  /** read, and never answered */
  | { readonly action: "hang" }
  /** RST in place of an answer */
  | { readonly action: "reset" }
  /** Content-Length promises more than comes, then FIN */
  | { readonly action: "cut" }
  | { readonly action: "status"; readonly status: number; readonly errors?: readonly string[] }
  | { readonly action: "body"; readonly body: string; readonly status?: number }
  | { readonly action: "redirect"; readonly location: string };

export type Rule = Action & {
  /** which requests, by what is below /v1/; all by default */
  readonly path?: RegExp;
  /** how many times; for ever by default */
  readonly times?: number;
};

export class Faults {
  readonly #rules: { readonly rule: Rule; left: number }[] = [];

  add(rule: Rule): void {
    this.#rules.push({ rule, left: rule.times ?? Infinity });
  }

  clear(): void {
    this.#rules.length = 0;
  }

  strike(path: string): { readonly fault: Rule | undefined; readonly delayMs: number } {
    let delayMs = 0;
    for (const entry of this.#rules) {
      if (entry.left === 0 || entry.rule.path?.test(path) === false) continue;
      entry.left -= 1;
      if (entry.rule.action !== "delay") return { fault: entry.rule, delayMs };
      delayMs += entry.rule.delayMs;
    }
    return { fault: undefined, delayMs };
  }
}
