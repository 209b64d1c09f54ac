/** Makes docs/names.md of the table in src/text/refused-names.ts: `node scripts/names.ts > docs/names.md`. */
import { ANY_CASE_NAMES, ORDINARY_NAMES, REFUSED_GROUPS } from "../src/text/refused-names.ts";

const code = (names: string): string =>
  names
    .split(/\s+/)
    .map((name) => `\`${name}\``)
    .join(", ");

/** The whole document. */
export function namesDocument(): string {
  const rows = REFUSED_GROUPS.map(({ who, reason, names }) => `| ${who} | it ${reason} | ${code(names)} |`);
  return `# Names that a source may not set

Who can write a source can set variables of CMD. These make a loader, a shell, an interpreter or a tool run code that nobody asked for, or
trust somebody it should not: a source that sets one is refused with status 65, by \`push\`, \`check\` and \`run\`. Where it is meant:

- \`--allow NAME,...\` (\`SEALEXEC_ALLOW\`) allows these names, by whichever source;
- \`?allow=NAME,...\` in the URI of a source allows them for this source alone.

**The list is never complete**: there are more programs than anybody knows, and every one has variables of its own. The complete answer is
\`--only NAME,PREFIX_*,...\` (\`SEALEXEC_ONLY\`): the sources give these names and no others. A refused name stays refused when it is in \`--only\`; one that
is outside is left out like every other.

\`NAME*\` stands for every name that begins so. ${code(ANY_CASE_NAMES)} are refused in upper and lower case, as their readers fold it.

Ordinary names under such a prefix stay: ${code(ORDINARY_NAMES)}.

Not refused, although they decide something: \`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`NO_PROXY\` and \`ALL_PROXY\`, because they are commonly set, and a proxy
sees of TLS no more than any other machine on the way; \`TMPDIR\`, \`TZ\`, \`LANG\`, \`LC_*\` and \`TERM\`; \`DATABASE_URL\` and its like, which only your
program reads; endpoints such as \`AWS_ENDPOINT_URL\`.

<!-- prettier-ignore-start -->

| whose | why | names |
| --- | --- | --- |
${rows.join("\n")}

<!-- prettier-ignore-end -->

This page is made by \`node scripts/names.ts\` of [src/text/refused-names.ts](../src/text/refused-names.ts).
`;
}

if (import.meta.main) process.stdout.write(namesDocument());
