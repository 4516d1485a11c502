import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { sharedService } from "../../service.js";

test("what a trained run answers with is what openapi.yaml says", async () => {
  const document = parse(readFileSync(new URL("../../../../openapi.yaml", import.meta.url), "utf8"));
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: "openapi", ...document });
  const service = await sharedService();
  try {
    const { id } = await service.createRun({
      steps: 200,
      schedule: "sweep",
      replicas: 2,
      evalEvery: 100,
      checkpointEvery: 100,
      model: { hiddenSizes: [8] },
    });
    await service.finished(id);
    for (const [path, query] of [
      ["/v1/runs", ""],
      ["/v1/runs/{id}", ""],
      ["/v1/runs/{id}/metrics", "?columns=step,lr,exponent,loss,smoothed"],
      ["/v1/runs/{id}/metrics", "?points=10"],
      ["/v1/runs/{id}/suggestions", ""],
      ["/v1/runs/{id}/checkpoints", ""],
      ["/v1/searches", ""],
      ["/v1/experiments", ""],
      ["/v1/datasets", ""],
    ] as const) {
      const response = await service.get(path.replace("{id}", id) + query);
      assert.equal(response.status, 200, path);
      // What several operations answer with is one of the components.
      const own = `paths/${path.replaceAll("/", "~1")}/get/responses/200`;
      const place = document.paths[path].get.responses["200"].$ref?.slice(2) ?? own;
      const pointer = encodeURIComponent(`${place}/content/application~1json/schema`).replaceAll("%2F", "/");
      const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
      assert.ok(validate(await response.json()), `${path}${query}: ${JSON.stringify(validate.errors)}`);
    }
  } finally {
    await service.stop();
  }
});
