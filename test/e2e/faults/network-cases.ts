/** Rows 17 to 22: names, connections, TLS. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startDns } from "../../aws/dns.ts";
import type { DnsFailure } from "../../aws/dns.ts";
import { startAws } from "../../aws/server.ts";
import { BUCKET, KEY, push } from "../harness.ts";
import { deadline, seconds } from "./fault-case.ts";
import type { Expected, FaultCase, Scene, Setup } from "./fault-case.ts";

const RESOLVER = "/etc/resolv.conf";

/** A name server of one's own needs port 53 and a file of one's own in the place of resolv.conf. */
function whyNoNameServer(): string | false {
  if (process.getuid?.() !== 0) return "needs root";
  if (!existsSync(RESOLVER)) return "needs /etc/resolv.conf";
  const probe = spawnSync("unshare", ["--mount", "mount", "--bind", "/dev/null", RESOLVER]);
  return probe.status === 0 ? false : "needs mount namespaces";
}

let addresses = 0;

/** S3 and KMS by names that a failing name server knows. */
async function byName({ aws, folder }: Scene, failure: DnsFailure, failMs?: number): Promise<Setup> {
  addresses += 1;
  const dns = await startDns({
    names: { "*.aws.test": "127.0.0.1" },
    host: `127.53.${process.pid % 250}.${addresses}`,
    port: 53,
    failure,
    ...(failMs === undefined ? {} : { failMs }),
  });
  const file = join(folder, "resolv.conf");
  await writeFile(file, `nameserver ${dns.host}\n`);
  const named = (url: string, name: string): string => url.replace("127.0.0.1", name);
  return {
    env: {
      ...aws.env(),
      AWS_ENDPOINT_URL_S3: named(aws.endpoints.s3, "s3.aws.test"),
      AWS_ENDPOINT_URL_KMS: named(aws.endpoints.kms, "kms.aws.test"),
      SEALEXEC_ALLOW_HTTP: "1",
    },
    prefix: ["unshare", "--mount", "sh", "-c", `mount --bind "$0" ${RESOLVER} && exec "$@"`, file],
    cleanUp: () => dns.close(),
  };
}

const NO_NAME: Expected = {
  status: 69,
  error:
    /object: s3:\/\/.*GetObject: s3\.aws\.test(: the host name does not resolve|:\d+: cannot be reached)/,
  hint: /check the endpoint, the network/,
};
const NO_CONNECTION: Expected = {
  status: 69,
  error: /object: s3:\/\/app-secrets\/app\.env: GetObject: .*cannot be reached \(E[A-Z]+\)/,
  hint: /check the endpoint, the network/,
};

interface Tls {
  /** AWS_CA_BUNDLE names the CA; otherwise this machine does not know it */
  readonly trusted: boolean;
  /** the address or name that S3 is asked at, which the certificate may not be for */
  readonly s3Host?: string;
  readonly expired?: boolean;
}

/** S3 and KMS over TLS. */
async function overTls({ trusted, s3Host, expired = false }: Tls): Promise<Setup> {
  const everywhere = s3Host === undefined ? {} : { s3: "0.0.0.0" };
  const aws = await startAws({ tls: ["s3", "kms"], hosts: everywhere, expiredCertificate: expired });
  aws.s3.createBucket(BUCKET);
  aws.kms.createKey({ alias: KEY });
  const { AWS_CA_BUNDLE, AWS_ENDPOINT_URL_S3, ...others } = aws.env();
  const s3 = new URL(AWS_ENDPOINT_URL_S3 ?? "");
  s3.hostname = s3Host ?? s3.hostname;
  const env = { ...others, AWS_ENDPOINT_URL_S3: s3.href.replace(/\/$/, "") };
  return {
    env: trusted ? { ...env, AWS_CA_BUNDLE: AWS_CA_BUNDLE ?? "" } : env,
    uri:
      expired || s3Host !== undefined
        ? `s3://${BUCKET}/tls.env`
        : await push(aws, "tls.env", "TOKEN=canary-Zm9vYmFy-47d1\n"),
    cleanUp: () => aws.close(),
  };
}

const HOSTS = "/etc/hosts";

/** `name` is 127.0.0.1 for the processes of this case. */
async function knownAs(name: string, setup: Setup, { folder }: Scene): Promise<Setup> {
  const file = join(folder, "hosts");
  await writeFile(file, `127.0.0.1 ${name}\n`);
  const prefix = ["unshare", "--mount", "sh", "-c", `mount --bind "$0" ${HOSTS} && exec "$@"`, file];
  return { ...setup, prefix };
}

const untrusted = (code: RegExp, hint: RegExp): Expected => ({
  status: 69,
  error: new RegExp(`GetObject: .*TLS certificate is not trusted \\(${code.source}\\)`),
  hint,
});

export const NETWORK_CASES: readonly FaultCase[] = [
  ...(["servfail", "nxdomain", "silent"] as const).map((failure, index): FaultCase => ({
    id: `17${["", "b", "c"][index] ?? ""}`,
    fault: `DNS fails for 5 s (${failure})`,
    prepare: (scene) => byName(scene, failure, 5_000),
    boundMs: seconds(12),
    expected: "CMD runs",
    skip: whyNoNameServer(),
  })),
  ...(["servfail", "nxdomain", "silent"] as const).map((failure, index): FaultCase => ({
    id: `18${["", "b", "c"][index] ?? ""}`,
    fault: `DNS fails for ever (${failure})`,
    prepare: (scene) => byName(scene, failure),
    timeoutS: 4,
    boundMs: deadline(4),
    expected: NO_NAME,
    skip: whyNoNameServer(),
  })),
  {
    id: "19",
    fault: "connect to S3 black-holed",
    rules: [{ service: "s3", action: "connectHang" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: NO_CONNECTION,
  },
  {
    id: "19b",
    fault: "connect to KMS black-holed",
    rules: [{ service: "kms", action: "connectHang" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: {
      status: 69,
      error: /key: s3:.*Decrypt: .*cannot be reached \(ETIMEDOUT\)/,
      hint: /VPC endpoint/,
    },
  },
  {
    id: "19c",
    fault: "connect to S3 black-holed, with less time than one attempt takes",
    rules: [{ service: "s3", action: "connectHang" }],
    timeoutS: 2,
    boundMs: deadline(2),
    expected: NO_CONNECTION,
  },
  {
    id: "20",
    fault: "reset on each connect",
    rules: [{ service: "s3", action: "resetOnConnect" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: NO_CONNECTION,
  },
  {
    id: "20b",
    fault: "S3 refuses connections",
    rules: [{ service: "s3", action: "refuse" }],
    timeoutS: 4,
    boundMs: deadline(4),
    expected: NO_CONNECTION,
  },
  {
    id: "20c",
    fault: "reset on the first two connects",
    rules: [{ service: "s3", action: "resetOnConnect", times: 2 }],
    boundMs: seconds(5),
    expected: "CMD runs",
  },
  {
    id: "21",
    fault: "TLS by an unknown CA",
    prepare: () => overTls({ trusted: false }),
    boundMs: seconds(5),
    expected: untrusted(/[A-Z_]+/, /AWS_CA_BUNDLE/),
  },
  {
    id: "21b",
    fault: "TLS by a trusted CA, for another address",
    prepare: () => overTls({ trusted: true, s3Host: "127.0.0.2" }),
    boundMs: seconds(5),
    expected: untrusted(/ERR_TLS_CERT_ALTNAME_INVALID/, /endpoint's host/),
  },
  {
    id: "21c",
    fault: "TLS by a trusted CA, for another name",
    prepare: async (scene) =>
      knownAs("s3.other.test", await overTls({ trusted: true, s3Host: "s3.other.test" }), scene),
    boundMs: seconds(5),
    expected: untrusted(/ERR_TLS_CERT_ALTNAME_INVALID/, /endpoint's host/),
    skip: whyNoNameServer(),
  },
  {
    id: "21d",
    fault: "TLS by a trusted CA, its time over",
    prepare: () => overTls({ trusted: true, expired: true }),
    boundMs: seconds(5),
    expected: untrusted(/CERT_HAS_EXPIRED/, /renew the certificate/),
  },
  {
    id: "21e",
    fault: "AWS_CA_BUNDLE without a certificate",
    prepare: ({ aws }) => ({ env: { ...aws.env(), AWS_CA_BUNDLE: "/etc/hostname" } }),
    boundMs: seconds(5),
    expected: { status: 78, error: /AWS_CA_BUNDLE: \/etc\/hostname holds no certificate/, hint: /PEM file/ },
  },
  {
    id: "21f",
    fault: "plain HTTP where the endpoint says https",
    prepare: ({ aws }) => ({
      env: { ...aws.env(), AWS_ENDPOINT_URL_S3: aws.endpoints.s3.replace("http:", "https:") },
    }),
    timeoutS: 2,
    boundMs: seconds(5),
    expected: { status: 69, error: /GetObject: /, hint: /\S/ },
  },
  {
    id: "22",
    fault: "TLS by a CA in AWS_CA_BUNDLE",
    prepare: () => overTls({ trusted: true }),
    boundMs: seconds(5),
    expected: "CMD runs",
  },
];
