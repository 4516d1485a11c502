import assert from "node:assert/strict";
import { type IncomingHttpHeaders, get as request } from "node:http";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { sharedService, startService, type TestService } from "../../service.js";

let service: TestService;
let id: string;
before(async () => {
  service = await sharedService();
  const run = await service.createRun({ steps: 2000, batchSize: 8, model: { hiddenSizes: [8], embeddingDim: 2 } });
  id = run.id;
  await service.finished(id);
});
after(() => service.stop());

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Without what fetch adds and undoes by itself. */
function get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request(service.url + path, { headers }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
      );
    }).on("error", reject);
  });
}

test("what is large goes out compressed to who takes it, and is the same", async (t) => {
  for (const path of [`/v1/runs/${id}/metrics`, `/v1/runs/${id}/metrics?format=csv`, "/v1/schedules"]) {
    const plain = await get(path);
    assert.equal(plain.headers["content-encoding"], undefined);
    const packed = await get(path, { "accept-encoding": "br, gzip" });
    assert.equal(packed.headers["content-encoding"], "gzip", path);
    assert.match(String(packed.headers.vary), /accept-encoding/i);
    assert.deepEqual(gunzipSync(packed.body), plain.body);
    assert.ok(packed.body.length < plain.body.length / 2, `${packed.body.length} of ${plain.body.length}`);
    t.diagnostic(`${path}: ${packed.body.length} of ${plain.body.length} bytes`);
  }
});

test("what is small stays as it is, as does what is compressed already", async () => {
  const run = await get(`/v1/runs/${id}`, { "accept-encoding": "gzip" });
  assert.equal(run.headers["content-encoding"], undefined);
  const picture = await get(`/v1/runs/${id}/plots/loss.png`, { "accept-encoding": "gzip" });
  assert.equal(picture.headers["content-encoding"], undefined);
});

test("a compressed body is not unpacked: it is no JSON", async () => {
  const headers = { "content-type": "application/json", "content-encoding": "gzip" };
  const response = await fetch(`${service.url}/v1/runs`, { method: "POST", headers, body: '{"steps":1}' });
  assert.notEqual(response.status, 500);
});

test("what cannot change is answered with 304 to who has it: exports, pictures, weights, texts", async () => {
  for (const path of [
    `/v1/runs/${id}/metrics`,
    `/v1/runs/${id}/metrics?format=csv`,
    `/v1/runs/${id}/metrics?points=10`,
    `/v1/runs/${id}/plots/loss.svg`,
    `/v1/runs/${id}/weights`,
    `/v1/runs/${id}`,
    "/v1/datasets/names/text",
    "/v1/schedules",
  ]) {
    const first = await get(path);
    const tag = first.headers.etag!;
    assert.match(tag ?? "", /^W\/".+"$/, path);
    for (const known of [tag, tag.slice(2), `"other", ${tag}`]) {
      const again = await get(path, { "if-none-match": known });
      assert.deepEqual([again.status, again.body.length, again.headers.etag], [304, 0, tag], `${path} ${known}`);
    }
    const other = await get(path, { "if-none-match": '"other"' });
    assert.equal(other.status, 200, path);
    assert.ok(other.body.equals(first.body), path);
  }
  const { headers: json } = await get(`/v1/runs/${id}/metrics`);
  const { headers: csv } = await get(`/v1/runs/${id}/metrics`, { accept: "text/csv" });
  assert.notEqual(json.etag, csv.etag);
});

test("a run that goes on has no lasting tag, and a refusal has none", async () => {
  const run = await service.createRun({
    steps: 10_000_000,
    batchSize: 8,
    model: { hiddenSizes: [8], embeddingDim: 2 },
  });
  try {
    assert.equal((await get(`/v1/runs/${run.id}/metrics`)).headers.etag, undefined);
    assert.equal((await get("/v1/runs/run_00000000000000000000")).headers.etag, undefined);
  } finally {
    await service.post(undefined, `/v1/runs/${run.id}/cancel`);
  }
});

test("other sites may read answers where they are named, and only there; unknown paths stay unknown", async () => {
  const origin = "https://notes.example";
  assert.equal((await get("/v1/version", { origin })).headers["access-control-allow-origin"], undefined);
  const open = await startService({ worker: false, settings: { CORS_ORIGINS: `${origin},http://localhost:5173` } });
  try {
    const answer = await open.get("/v1/version", { origin });
    assert.equal(answer.headers.get("access-control-allow-origin"), origin);
    assert.match(answer.headers.get("access-control-expose-headers") ?? "", /location/);
    assert.equal(
      (await open.get("/v1/version", { origin: "https://other.example" })).headers.get("access-control-allow-origin"),
      null,
    );
    const preflight = await fetch(`${open.url}/v1/runs`, {
      method: "OPTIONS",
      headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "content-type" },
    });
    assert.deepEqual([preflight.status, preflight.headers.get("access-control-allow-headers")], [204, "content-type"]);
    // A named site's pages may change things, too; another's may not.
    for (const [site, status] of [
      [origin, 400],
      ["https://other.example", 403],
    ] as const) {
      const headers = { origin: site, "content-type": "application/json" };
      assert.equal((await fetch(`${open.url}/v1/runs`, { method: "POST", headers, body: "{}" })).status, status);
    }
    assert.equal((await open.get("/nothing")).status, 404);
    assert.equal((await fetch(`${open.url}/v1/runs`, { method: "PATCH" })).status, 405);
  } finally {
    await open.stop();
  }
});
