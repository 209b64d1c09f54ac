/**
 * The region of the instance, by IMDSv2 (EC2 User Guide, "Use the Instance Metadata Service"). A missing service is
 * no error here: it means that the region is not known from it.
 */
import http from "node:http";
import type { Context } from "../context.ts";

const TIMEOUT_MS = 1_000;
const LARGEST_ANSWER = 4_096;

export async function instanceRegion(context: Context): Promise<string | undefined> {
  const { env, deadline } = context;
  if (env["AWS_EC2_METADATA_DISABLED"]?.toLowerCase() === "true") return undefined;
  const endpoint = env["AWS_EC2_METADATA_SERVICE_ENDPOINT"] || "http://169.254.169.254";
  const signal = AbortSignal.any([deadline.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const ttl = { "x-aws-ec2-metadata-token-ttl-seconds": "60" };
    const token = await ask(new URL("/latest/api/token", endpoint), "PUT", ttl, signal);
    const header = { "x-aws-ec2-metadata-token": token };
    return await ask(new URL("/latest/meta-data/placement/region", endpoint), "GET", header, signal);
  } catch {
    return undefined;
  }
}

function ask(
  url: URL,
  method: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, signal, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        size += chunk.length;
        if (size > LARGEST_ANSWER) request.destroy(new Error("answer too long"));
      });
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString("utf8").trim());
        else reject(new Error("refused"));
      });
    });
    request.on("error", reject);
    request.end();
  });
}
