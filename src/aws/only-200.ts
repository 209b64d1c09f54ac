/** What holds of every answer that the SDK's clients read: 200 is one, any other that says "well" is not. */

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
        const { statusCode, body } = answer.response as {
          statusCode: number;
          body?: { destroy?: () => void };
        };
        if (statusCode === 200 || statusCode >= 300) return answer;
        body?.destroy?.();
        throw new OtherThan200(statusCode);
      };
    (stack as Stack).add(check, { name: "only200", step: "deserialize", priority: "low" });
  },
};
