import { execa } from "./execa.ts";

/** Without execve (Windows) CMD is a child: the one platform on which a parent stays behind. */
export async function spawnInstead(
  file: string,
  args: readonly Buffer[],
  env: Readonly<Record<string, string>>,
): Promise<never> {
  const rest = args.slice(1).map(String);
  const { exitCode } = await execa(file, rest, { stdio: "inherit", env, extendEnv: false, reject: false });
  process.exit(exitCode ?? 1);
}
