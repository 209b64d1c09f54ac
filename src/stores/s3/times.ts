/** The times that S3 tells in the headers of an answer. */

// RFC 9110, section 5.6.7: IMF-fixdate, the only form that is sent today.
const HTTP_DATE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT$/;

/** A time as HTTP writes it, as milliseconds since 1970; undefined: it is none. */
export function parseHttpDate(text: string | undefined): number | undefined {
  if (text === undefined || !HTTP_DATE.test(text)) return undefined;
  const time = Date.parse(text);
  return Number.isNaN(time) ? undefined : time;
}

/** Where in a command's stack of middleware the answer with its headers can be seen. */
export const AT_ANSWER = { step: "deserialize", priority: "high", name: "sealexecAnswerDate" } as const;

/** The Date of the answer to a command of the SDK, which does not hand it over: `command.middlewareStack.add(…, AT_ANSWER)`. */
export class AnswerDate {
  #text: string | undefined;

  readonly middleware =
    <Request, Result extends { readonly response: unknown }>(next: (request: Request) => Promise<Result>) =>
    async (request: Request): Promise<Result> => {
      const result = await next(request);
      const { headers } = result.response as { readonly headers?: Readonly<Record<string, string>> };
      this.#text = headers?.["date"];
      return result;
    };

  /** milliseconds since 1970; undefined: it has not come, or is none */
  get value(): number | undefined {
    return parseHttpDate(this.#text);
  }
}
