/**
 * The metadata service at its real address, one router away as from a container: three network namespaces in a row,
 * CMD's, the router's and the service's, whose packets start with a TTL that is told.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onPath } from "../harness.ts";

const AWS_MAIN = fileURLToPath(new URL("../../aws/main.ts", import.meta.url));

/** The reason to skip what needs network namespaces; false: there is none. */
export function whyNoNamespaces(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  if (onPath("ip") === undefined || onPath("unshare") === undefined) return "needs ip and unshare";
  return spawnSync("unshare", ["--net", "true"]).status === 0 ? false : "needs network namespaces";
}

export interface FarMetadata {
  /** words that put a program where the service is far */
  readonly prefix: readonly string[];
  readonly close: () => Promise<void>;
}

let count = 0;

export async function startFarMetadata(ttl: number): Promise<FarMetadata> {
  count += 1;
  const [near, router, far] = ["near", "router", "far"].map(
    (name) => `sealexec-${process.pid}-${count}-${name}`,
  ) as [string, string, string];
  const remove = (): void => {
    for (const name of [near, router, far]) spawnSync("ip", ["netns", "delete", name]);
  };
  try {
    connect(near, router, far, ttl);
    const service = spawn(
      "ip",
      ["netns", "exec", far, process.execPath, AWS_MAIN, "--listen", "imds=169.254.169.254:80"],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    await new Promise<void>((resolve, reject) => {
      service.stdout.once("data", () => resolve());
      service.once("exit", () => reject(new Error("no metadata service")));
    });
    return {
      prefix: ["ip", "netns", "exec", near],
      close: async () => {
        service.removeAllListeners("exit");
        service.stdin.end();
        await new Promise((resolve) => service.once("exit", resolve));
        remove();
      },
    };
  } catch (error) {
    remove();
    throw error;
  }
}

function connect(near: string, router: string, far: string, ttl: number): void {
  const ip = (...words: string[]): unknown => execFileSync("ip", words, { stdio: "pipe" });
  for (const name of [near, router, far]) ip("netns", "add", name);
  for (const name of [near, router, far]) ip("-n", name, "link", "set", "lo", "up");
  ip("link", "add", "toward-far", "netns", near, "type", "veth", "peer", "name", "to-near", "netns", router);
  ip("link", "add", "to-far", "netns", router, "type", "veth", "peer", "name", "to-router", "netns", far);
  for (const [name, link, address] of [
    [near, "toward-far", "10.90.1.2/24"],
    [router, "to-near", "10.90.1.1/24"],
    [router, "to-far", "10.90.2.1/24"],
    [far, "to-router", "10.90.2.2/24"],
  ] as const) {
    ip("-n", name, "address", "add", address, "dev", link);
    ip("-n", name, "link", "set", link, "up");
  }
  ip("-n", far, "address", "add", "169.254.169.254/32", "dev", "lo");
  ip("-n", near, "route", "add", "default", "via", "10.90.1.1");
  ip("-n", router, "route", "add", "169.254.169.254/32", "via", "10.90.2.2");
  ip("-n", far, "route", "add", "default", "via", "10.90.2.1");
  ip("netns", "exec", router, "sysctl", "-qw", "net.ipv4.ip_forward=1");
  ip("netns", "exec", far, "sysctl", "-qw", `net.ipv4.ip_default_ttl=${ttl}`);
}
