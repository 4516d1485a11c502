import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { isPublicAddress } from "../../src/queue/public-address.js";
import { type Post, sendWebhook } from "../../src/queue/send-webhook.js";

const SPECIAL = [
  ...["0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1"],
  ...["172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1", "203.0.113.9", "224.0.0.1", "255.255.255.255"],
  ...["::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::7f00:1", "64:ff9b::a00:1", "fc00::1", "fd12:3456::1"],
  ...["fe80::1", "fe80::1%lo", "fd00:ec2::254", "ff02::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "3fff::1"],
  ...["", "localhost", "example.com"],
];
const PUBLIC = ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1"];

test("addresses are public or not as IANA's registries say", () => {
  for (const address of SPECIAL) assert.equal(isPublicAddress(address), false, address);
  for (const address of PUBLIC) assert.equal(isPublicAddress(address), true, address);
});

/** What a server of this machine makes of one attempt. */
async function attempt(listener: RequestListener, change: (url: string) => Partial<Post> = () => ({})) {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    listener(request, response);
  }).listen(0);
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in`;
  try {
    const sent = await sendWebhook({
      ...{ url, headers: { "webhook-id": "m" }, body: "{}", privateToo: true, stop: new AbortController().signal },
      isDue: async () => true,
      ...change(url),
    });
    return { sent, seen };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const status =
  (code: number, headers = {}): RequestListener =>
  (_request, response) =>
    void response.writeHead(code, headers).end("x");
const errorOf = ({ sent }: Awaited<ReturnType<typeof attempt>>) => (typeof sent === "object" ? sent.error : sent);

test("no connection is made to an address that is not public, however it is written", async () => {
  const hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0"];
  for (const host of hosts) {
    const refused = await attempt(status(200), (url) => ({ privateToo: false, url: url.replace("127.0.0.1", host) }));
    assert.match(errorOf(refused), /not public/, host);
    assert.deepEqual(refused.seen, [], host);
  }
  const allowed = await attempt(status(200), (url) => ({ url: url.replace("127.0.0.1", "localhost") }));
  assert.deepEqual(allowed, { sent: "delivered", seen: ["POST /in"] });
});

test("2xx is success; a redirect is not followed; 410 is for good; the rest is to be tried again", async () => {
  assert.equal((await attempt(status(204))).sent, "delivered");
  for (const code of [301, 302, 303, 307, 308]) {
    const redirected = await attempt(status(code, { location: "/elsewhere" }));
    assert.deepEqual(redirected.seen, ["POST /in"], String(code));
    assert.match(errorOf(redirected), /redirects are not followed/);
  }
  assert.deepEqual((await attempt(status(410))).sent, { error: "it answered 410", forGood: true });
  assert.deepEqual((await attempt(status(500))).sent, { error: "it answered 500", forGood: false });
});

test("an answer's body is not read to its end, and silence and noise are ended", async () => {
  const endless: RequestListener = (_request, response) => {
    response.writeHead(200);
    const more = () => response.writable && response.write("x".repeat(65_536), () => setImmediate(more));
    more();
  };
  assert.equal((await attempt(endless)).sent, "delivered");
  assert.match(errorOf(await attempt(() => {})), /no answer in 5000 ms/);
  assert.equal(errorOf(await attempt((request) => void request.socket.end("noise\r\n\r\n"))), "HPE_INVALID_CONSTANT");
  const nobody = await attempt(status(200), () => ({ url: "http://127.0.0.1:1/" }));
  assert.equal(errorOf(nobody), "ECONNREFUSED");
});

test("nothing is sent that is not due any more once the connection stands", async () => {
  const { sent, seen } = await attempt(status(200), () => ({ isDue: async () => false }));
  assert.deepEqual({ sent, seen }, { sent: "moot", seen: [] });
});
