import assert from "node:assert/strict";
import { test } from "node:test";
import { createReference } from "../../src/engine/reference.js";
import { OPTIMIZERS } from "../../src/schemas/optimizers.js";
import { conformance, F64 } from "./conformance.js";
import { golden } from "./problem.js";

conformance("reference", createReference, F64);

test("every optimizer has golden values, with its own momentum and with a cycled one", () => {
  for (const type of Object.keys(OPTIMIZERS)) {
    const cases = golden.optimizers.filter(({ optimizer }) => optimizer.type === type);
    for (const cycled of [false, true]) {
      assert.ok(
        cases.some(({ cycle }) => (cycle !== null) === cycled),
        `${type}, ${cycled ? "" : "not "}cycled`,
      );
    }
  }
});
