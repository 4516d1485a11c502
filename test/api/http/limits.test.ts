import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import type { Problem } from "../../../src/schemas/problem.js";
import { startService, type TestService } from "../../service.js";

const MOST = 20;
let service: TestService;
before(async () => {
  service = await startService({ worker: false, settings: { KEYS: "off", RATE_LIMIT: MOST } });
});
after(() => service.stop());

/** The whole answer to bytes as they are. */
async function send(bytes: string): Promise<{ status: number; type: string | undefined; body: Problem }> {
  const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
  socket.setEncoding("utf8");
  let text = "";
  socket.on("data", (part) => (text += part));
  socket.on("error", () => {});
  socket.write(bytes);
  await once(socket, "close");
  const [head, body] = text.split("\r\n\r\n") as [string, string];
  return {
    status: Number(head.split(" ")[1]),
    type: /content-type: (.*)/.exec(head)?.[1],
    body: JSON.parse(body) as Problem,
  };
}

test("what is no request, or has too large headers, is answered like every other mistake", async () => {
  for (const [bytes, status, code] of [
    ["GET /healthz NONSENSE\r\n\r\n", 400, "invalid-request"],
    ["\u0016\u0003\u0001 TLS\r\n\r\n", 400, "invalid-request"],
    [`GET /healthz HTTP/1.1\r\nhost: localhost\r\nx: ${"a".repeat(20_000)}\r\n\r\n`, 431, "headers-too-large"],
  ] as const) {
    const answer = await send(bytes);
    assert.deepEqual(
      [answer.status, answer.type, answer.body.type],
      [status, "application/problem+json", `urn:anneal:problem:${code}`],
    );
    assert.match(answer.body.detail, /^Expected /);
  }
});

test("one client's requests in a minute are bounded; the page and the health checks are not counted", async () => {
  const answers = [];
  for (let i = 0; i < MOST + 2; i++) {
    await service.get("/healthz");
    answers.push(await service.get("/v1/version"));
  }
  assert.deepEqual(
    answers.map(({ status }) => status),
    [...Array(MOST).fill(200), 429, 429],
  );
  assert.equal(answers[0]!.headers.get("ratelimit-limit"), String(MOST));
  const last = answers.at(-1)!;
  const wait = Number(last.headers.get("retry-after"));
  assert.ok(wait > 1 && wait <= 60, `retry after ${wait}`);
  const problem = (await last.json()) as Problem;
  assert.equal(problem.type, "urn:anneal:problem:too-many-requests");
  assert.equal(problem.detail, `At most ${MOST} requests a minute are answered; again in ${wait} s`);
  assert.equal((await service.get("/")).status, 200);
});

test("a page's headers let it load nothing that is not ours", async () => {
  for (const path of ["/", "/docs"]) {
    const { headers } = await service.get(path);
    const policy = headers.get("content-security-policy")!;
    assert.match(policy, /default-src 'none'/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|\*/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
  }
});
