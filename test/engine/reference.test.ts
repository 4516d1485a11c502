import { createReference } from "../../src/engine/reference.js";
import { conformance, F64 } from "./conformance.js";

conformance("reference", createReference, F64);
