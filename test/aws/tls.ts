/** A certificate authority for one test run, and a server certificate of it; made by the openssl command. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
  /** PEM of the authority, for AWS_CA_BUNDLE or NODE_EXTRA_CA_CERTS */
  readonly caFile: string;
  remove(): Promise<void>;
}

/** @param hosts DNS names and IP addresses for subjectAltName; `expired`: its time is over */
export async function makeCertificate(
  hosts: readonly string[],
  options: { expired?: boolean } = {},
): Promise<TestCertificate> {
  const folder = await mkdtemp(join(tmpdir(), "loopback-aws-"));
  const at = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): Promise<unknown> => run("openssl", args, { cwd: folder });
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  const names = hosts.map((host) => `${isIP(host) === 0 ? "DNS" : "IP"}:${host}`);
  await writeFile(
    at("server.ext"),
    `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n`,
  );
  await openssl(
    "req",
    "-x509",
    ...newKey,
    "-days",
    "2",
    "-subj",
    "/CN=Loopback AWS test CA",
    "-keyout",
    "ca.key",
    "-out",
    "ca.pem",
  );
  await openssl("req", ...newKey, "-subj", "/CN=loopback", "-keyout", "server.key", "-out", "server.csr");
  // A certificate of -1 days ended yesterday.
  const days = options.expired === true ? "-1" : "2";
  const ca = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"];
  await openssl(
    "x509",
    "-req",
    "-in",
    "server.csr",
    ...ca,
    "-days",
    days,
    "-extfile",
    "server.ext",
    "-out",
    "server.pem",
  );
  const [key, cert] = await Promise.all([
    readFile(at("server.key"), "utf8"),
    readFile(at("server.pem"), "utf8"),
  ]);
  return { key, cert, caFile: at("ca.pem"), remove: () => rm(folder, { recursive: true, force: true }) };
}

/** The names under which clients know these services, in the regions given. */
export function serviceHosts(regions: Iterable<string>): string[] {
  const regional = [...regions].flatMap((region) => [
    `s3.${region}.amazonaws.com`,
    `*.s3.${region}.amazonaws.com`,
    `kms.${region}.amazonaws.com`,
    `sts.${region}.amazonaws.com`,
    `secretsmanager.${region}.amazonaws.com`,
    `ssm.${region}.amazonaws.com`,
  ]);
  return [
    "localhost",
    "*.localhost",
    "127.0.0.1",
    "::1",
    "s3.amazonaws.com",
    "*.s3.amazonaws.com",
    "sts.amazonaws.com",
    ...regional,
  ];
}
