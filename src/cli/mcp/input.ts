import { formsOf, isSchedule, itemForms, type Schema, typeOf, wordsOf } from "../forms.js";

/** Further names would only fill an agent's context: a wrong one is answered with the one that was meant. */
const MOST_NAMED = 8;
const SCHEDULE =
  "A schedule's name, such as constant, linear, cosine, step, one-cycle or warmup-stable-decay (also PyTorch's, hf/… and optax/… ones), or an object with `type` and its parameters";

/**
 * The schema of a tool's arguments, from that of a request: short, since agents read it with every conversation, and loose, since
 * the service says better what is wrong.
 */
export function inputOf(schema: object, further: Readonly<Record<string, object>> = {}): Record<string, unknown> {
  const { properties, required } = schema as { properties: Record<string, Schema>; required?: readonly string[] };
  const fields = Object.entries(properties).map(([name, field]) => [name, fieldOf(field)]);
  return { type: "object", properties: { ...Object.fromEntries(fields), ...further }, ...(required && { required }) };
}

function fieldOf(field: Schema): object {
  const forms = formsOf(field);
  const described = field.description ?? forms[0]?.description;
  const about = described === undefined ? {} : { description: described };
  if (forms.some(isSchedule)) return { type: ["string", "object"], description: SCHEDULE };
  const types = [...new Set(forms.map(typeOf))];
  const words = wordsOf(forms);
  const list = forms.find((form) => typeOf(form) === "array");
  const object = forms.find(({ properties }) => properties !== undefined);
  return {
    type: types.length === 1 ? types[0] : types,
    ...about,
    ...(types.join() === "string" && words.length > 0 && words.length <= MOST_NAMED && { enum: words }),
    ...(list !== undefined && { items: itemOf(itemForms(list)) }),
    ...(object !== undefined && types.length === 1 && { properties: propertiesOf(object) }),
  };
}

function itemOf(forms: readonly Schema[]): object {
  if (forms.some(isSchedule)) return { type: ["string", "object"], description: SCHEDULE };
  const types = [...new Set(forms.map(typeOf))];
  return { type: types.length === 1 ? types[0] : types };
}

function propertiesOf({ properties }: Schema): object {
  return Object.fromEntries(
    Object.entries(properties as Record<string, Schema>).map(([name, field]) => [name, fieldOf(field)]),
  );
}
