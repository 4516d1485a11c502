import type { FieldError } from "../../schemas/problem.js";
import {
  SCHEDULE_SCHEMAS,
  type ScheduleRequest,
  type ScheduleSpec,
  type ScheduleType,
} from "../../schemas/schedule.js";
import { SCHEDULE_LIMITS } from "../../schemas/schedules/fields.js";
import { invalid, ok, type Result } from "../result.js";
import { isMetricDriven } from "./build.js";
import { definitionOf } from "./definitions.js";
import { baseRate, children } from "./rates.js";
import type { RunDefault, ScheduleContext } from "./run-defaults.js";

export type { ScheduleContext } from "./run-defaults.js";

type Parameters = Record<string, unknown>;

/**
 * Fills in every parameter, of nested schedules too, then checks what a JSON schema cannot say. Pointers are relative to
 * the schedule. A nested schedule is given the steps it will run for, and the rate of the schedule around it as `high`.
 */
export function resolveSchedule(request: ScheduleRequest, context: ScheduleContext): Result<ScheduleSpec> {
  const tooBig = checkSize(request);
  return tooBig === null ? resolveNode(request, context, 1) : invalid(tooBig);
}

function resolveNode(request: ScheduleRequest, context: ScheduleContext, level: number): Result<ScheduleSpec> {
  const { type, ...given } = typeof request === "string" ? { type: request } : request;
  const schema = SCHEDULE_SCHEMAS[type] as { properties: Readonly<Record<string, object>>; required?: string[] };
  const spec: Parameters = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    if ("default" in property) spec[name] = structuredClone(property.default);
  }
  Object.assign(spec, given);
  const { defaults, check } = definitionOf(type);
  for (const [name, { of }] of Object.entries<RunDefault>(defaults)) {
    const value = spec[name] ?? of(context, spec);
    if (value !== undefined) spec[name] = value;
  }
  const missing = (schema.required ?? []).filter((name) => name !== "type" && spec[name] === undefined);
  if (missing.length > 0) {
    return invalid(
      ...missing.map((name) => ({ pointer: `/${name}`, expected: `a value; ${type} has no default for it` })),
    );
  }
  const errors = resolveChildren(type, spec, context, level);
  if (errors.length > 0) return invalid(...errors);
  const resolved = { type, ...spec } as unknown as ScheduleSpec;
  errors.push(...(check?.(resolved, context.steps) ?? []));
  return errors.length === 0 ? ok(resolved) : invalid(...errors);
}

/** Replaces the requests for nested schedules by their specs. */
function resolveChildren(type: ScheduleType, spec: Parameters, context: ScheduleContext, level: number): FieldError[] {
  const errors: FieldError[] = [];
  const parent = { type, ...spec } as unknown as ScheduleSpec;
  const peak = baseRate(parent) ?? context.lrRange[1];
  const lrRange = [Math.min(context.lrRange[0], peak), peak] as const;
  const resolveChild = (child: unknown, pointer: string, index: number): unknown => {
    const { from, to } = definitionOf(type).span!(parent, context.steps, index);
    const inner = { steps: Math.max(1, to - from), lrRange };
    const result = resolveNode(child as ScheduleRequest, inner, level + 1);
    if (!result.ok) {
      for (const error of result.errors) errors.push({ ...error, pointer: `${pointer}${error.pointer}` });
      return child;
    }
    if (isMetricDriven(result.value)) {
      errors.push({ pointer: `${pointer}/type`, expected: "a schedule of the step alone, not one driven by the loss" });
    }
    return result.value;
  };
  for (const name of ["schedules", "schedulers"]) {
    const list = spec[name];
    if (Array.isArray(list)) spec[name] = list.map((child, i) => resolveChild(child, `/${name}/${i}`, i));
  }
  if (spec.schedule !== undefined) spec.schedule = resolveChild(spec.schedule, "/schedule", 0);
  return errors;
}

/** Depth and number of schedules, found without recursing, so that no request can exhaust the stack. */
function checkSize(request: unknown): FieldError | null {
  const { depth, nodes } = SCHEDULE_LIMITS;
  const stack = [{ node: request, pointer: "", level: 1 }];
  let count = 0;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, pointer, level } = next;
    count += 1;
    if (level > depth) return { pointer, expected: `schedules nested at most ${depth} deep` };
    if (count > nodes) return { pointer, expected: `at most ${nodes} schedules in all` };
    if (typeof node === "object" && node !== null) {
      for (const inner of children(node))
        stack.push({ node: inner.child, pointer: pointer + inner.pointer, level: level + 1 });
    }
  }
  return null;
}
