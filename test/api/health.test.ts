import assert from "node:assert/strict";
import { test } from "node:test";
import { startService } from "../service.js";

test("/healthz is alive at once; /readyz turns green with a worker and red without Redis; /metrics counts", async () => {
  const service = await startService();
  try {
    assert.equal((await service.get("/healthz")).status, 200);
    while ((await service.get("/readyz")).status !== 200) await new Promise((resolve) => setTimeout(resolve, 20));
    const run = await service.createRun({ steps: 500, model: { hiddenSizes: [8] } });
    await service.finished(run.id);
    const shared = await (await service.get("/metrics/shared")).text();
    assert.match(shared, /^# TYPE anneal_steps_total counter$/m);
    assert.match(shared, /^anneal_steps_total 500$/m);
    assert.match(shared, /^anneal_crashes_total 0$/m);
    assert.match(shared, /^anneal_records\{status="succeeded"\} 1$/m);
    const text = await (await service.get("/metrics")).text();
    // What all processes share is nowhere else: over several APIs it would be counted once for each.
    assert.doesNotMatch(text, /^anneal_(steps|commits|records|jobs)/m);
    assert.match(
      text,
      /^anneal_http_request_duration_seconds_count\{method="POST",route="\/v1\/runs",status="202"\} 1$/m,
    );
    assert.match(text, /^nodejs_eventloop_lag_seconds /m);
    const scrapes = await Promise.all([1, 2, 3].map(async () => (await service.get("/metrics")).text()));
    for (const scrape of [...scrapes, await (await service.get("/metrics")).text()])
      assert.doesNotMatch(scrape, / Nan$/im);
    await service.redis.kill();
    assert.equal((await fetch(`${service.url}/readyz`)).status, 503);
    assert.equal((await fetch(`${service.url}/metrics`)).status, 200);
    assert.equal((await fetch(`${service.url}/metrics/shared`)).status, 503);
    const headers = { "content-type": "application/json" };
    const refused = await fetch(`${service.url}/v1/runs`, { method: "POST", headers, body: '{"steps":1}' });
    assert.equal(refused.status, 503);
    assert.equal((await fetch(`${service.url}/v1/runs/${run.id}`)).status, 503);
    assert.equal((await fetch(`${service.url}/healthz`)).status, 200);
    await service.redis.restart();
    while ((await fetch(`${service.url}/readyz`)).status !== 200)
      await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await fetch(`${service.url}/v1/runs/${run.id}`)).status, 200);
  } finally {
    await service.stop();
  }
});
