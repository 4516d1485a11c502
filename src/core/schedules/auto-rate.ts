import type { ScheduleRequest } from "../../schemas/schedule.js";
import { children, rateParameter } from "./rates.js";

/** JSON pointers to every "auto" in a schedule request that awaits a rate; the schema allows it nowhere else. */
export function autoRatePaths(request: ScheduleRequest): string[] {
  if (typeof request === "string") return [];
  const name = rateParameter(request.type);
  const own = name !== null && request[name] === "auto" ? [`/${name}`] : [];
  const inner = children(request).flatMap(({ pointer, child }) =>
    autoRatePaths(child as ScheduleRequest).map((path) => `${pointer}${path}`),
  );
  return [...own, ...inner];
}

/** The request with `lr` wherever it says "auto"; the argument is left as it was. */
export function substituteRate(request: ScheduleRequest, lr: number): ScheduleRequest {
  const result = structuredClone(request);
  for (const path of autoRatePaths(request)) {
    const names = path.slice(1).split("/");
    const last = names.pop()!;
    const holder = names.reduce(
      (node, name) => node[name] as Record<string, unknown>,
      result as Record<string, unknown>,
    );
    holder[last] = lr;
  }
  return result;
}
