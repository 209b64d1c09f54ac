/**
 * node test/aws/main.ts [--tls] [--region R] [--listen NAME=HOST:PORT]… [--port-file F]
 *
 * Starts the loopback AWS and prints one line of JSON: endpoints, env (IMDS), keyEnv, containerEnv, caFile, pid. Ends with
 * SIGTERM or SIGINT, or when a pipe on stdin closes.
 */
import { fstatSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import type { ListenerName } from "./http.ts";
import { startAws } from "./server.ts";
import type { Aws } from "./server.ts";

const { values } = parseArgs({
  options: {
    tls: { type: "boolean", default: false },
    region: { type: "string", default: "us-east-1" },
    regions: { type: "string", default: "" },
    listen: { type: "string", multiple: true, default: [] },
    "certificate-host": { type: "string", multiple: true, default: [] },
    "port-file": { type: "string" },
  },
});

const places = values.listen.map((text): [ListenerName | "control", string, number] => {
  const match = /^(imds|container|s3|kms|sts|secretsmanager|ssm|all|control)=(.+):(\d+)$/u.exec(text);
  if (match === null) throw new Error(`--listen ${text}: NAME=HOST:PORT`);
  return [match[1] as ListenerName | "control", match[2] ?? "", Number(match[3])];
});

const aws = await startAws({
  tls: values.tls,
  region: values.region,
  regions: values.regions.split(",").filter((region) => region !== ""),
  certificateHosts: values["certificate-host"],
  hosts: Object.fromEntries(places.map(([name, host]) => [name, host])),
  ports: Object.fromEntries(places.map(([name, , port]) => [name, port])),
});

const line = `${JSON.stringify(summary(aws))}\n`;
process.stdout.write(line);
if (values["port-file"] !== undefined) {
  // Whoever waits for the file never sees half of it.
  await writeFile(`${values["port-file"]}.new`, line);
  await rename(`${values["port-file"]}.new`, values["port-file"]);
}
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) process.stdin.resume().once("close", () => void stop());

async function stop(): Promise<void> {
  await aws.close();
  process.exit(0);
}

function summary(running: Aws): Readonly<Record<string, unknown>> {
  return {
    endpoints: running.endpoints,
    env: running.env(),
    keyEnv: running.keyEnv(),
    containerEnv: running.containerEnv(),
    relativeUri: running.container.relativeUri,
    defaultKey: running.kms.defaultKey.arn,
    caFile: running.caFile,
    pid: process.pid,
  };
}
