/** What holds of every answer that the SDK's clients read: a whole 200 is one, any other that says "well" is not. */

interface Response {
  readonly response: unknown;
}

type Next = (args: { readonly request: unknown }) => Promise<Response>;

interface Stack {
  add(middleware: (next: Next) => Next, options: Readonly<Record<string, string>>): void;
}

/** A part of an object (206) or what a proxy made of it (203) is not what was asked for. The refusal has no body. */
class OtherThan200 extends Error {
  override readonly name = "UnreadableAnswer";
  readonly $metadata: { readonly httpStatusCode: number };

  constructor(status: number) {
    super("unreadable");
    this.$metadata = { httpStatusCode: status };
  }
}

/** A plugin for the stack of a client (smithy.io, "Middleware stack"): closest to the connection of its step. */
export const ONLY_200 = {
  applyToStack(stack: object): void {
    const check =
      (next: Next): Next =>
      async (args) => {
        const answer = await next(args);
        const { statusCode, headers, body } = answer.response as {
          statusCode: number;
          headers: Readonly<Record<string, string>>;
          body?: { destroy?: () => void };
        };
        // Nobody asks for a range: one that comes all the same is a part of what was asked for.
        const isWhole = statusCode === 200 && headers["content-range"] === undefined;
        if (isWhole || statusCode >= 300) return answer;
        body?.destroy?.();
        throw new OtherThan200(statusCode);
      };
    (stack as Stack).add(check, { name: "only200", step: "deserialize", priority: "low" });
  },
};
