/**
 * A client whose round trips are known, to check the proxies by: it connects to S3, asks, waits for the answer, and then
 * does the same with KMS. Over TLS that is 2 x (TCP, TLS, request) = 6, over HTTP 4. Any answer will do.
 */
import { readFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { connect as connectTls } from "node:tls";

const caFile = process.env["AWS_CA_BUNDLE"];
const ca = caFile === undefined ? undefined : readFileSync(caFile);

for (const name of ["S3", "KMS"]) {
  const { hostname: host, port, protocol } = new URL(process.env[`AWS_ENDPOINT_URL_${name}`] ?? "");
  await new Promise<void>((resolve, reject) => {
    const place = { host, port: Number(port) };
    const isTls = protocol === "https:";
    const socket = isTls ? connectTls({ ...place, ...(ca === undefined ? {} : { ca }) }) : connectTcp(place);
    socket.setNoDelay(true);
    socket.once(isTls ? "secureConnect" : "connect", () => {
      socket.write(`GET / HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    });
    socket.once("error", reject);
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
  });
}
