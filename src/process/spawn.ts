import { execa } from "./execa.ts";

/**
 * Where there is no execve (Windows): CMD runs as a child with our standard streams, and its exit status becomes ours.
 * The one platform on which a parent stays behind.
 */
export async function spawnInstead(
  file: string,
  args: readonly Buffer[],
  env: readonly Buffer[],
): Promise<never> {
  const variables = Object.fromEntries(
    env.map((entry) => {
      const text = entry.toString("utf8");
      const equals = text.indexOf("=", 1);
      return [text.slice(0, equals), text.slice(equals + 1)];
    }),
  );
  const rest = args.slice(1).map(String);
  const { exitCode } = await execa(file, rest, {
    stdio: "inherit",
    env: variables,
    extendEnv: false,
    reject: false,
  });
  process.exit(exitCode ?? 1);
}
