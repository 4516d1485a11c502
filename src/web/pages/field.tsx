import type { FieldSchema, Form } from "./compose-form.js";

interface Props {
  /** The field's JSON pointer without its first slash. */
  readonly name: string;
  readonly label: string;
  readonly schema: FieldSchema;
  readonly form: Form;
  readonly set: (name: string, value: string) => void;
  readonly errors: Readonly<Record<string, string>>;
  /** What stands for an empty field. */
  readonly fallback?: string | undefined;
  readonly required?: boolean;
}

/** One input, of the kind that its schema asks for, with what is wrong with it below. */
export function Field({ name, label, schema, form, set, errors, fallback, required = false }: Props) {
  const error = errors[name];
  const id = `field-${name.replaceAll("/", "-")}`;
  const help = [schema.description === undefined ? null : `${id}-help`, error === undefined ? null : `${id}-error`];
  const common = {
    id,
    name,
    value: form[name] ?? "",
    "aria-invalid": error !== undefined,
    "aria-describedby": help.filter((part) => part !== null).join(" ") || undefined,
    required,
    onInput: (event: Event) => set(name, (event.currentTarget as HTMLInputElement).value),
  };
  const options = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  const numeric = schema.type === "number" || schema.type === "integer";
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {options === undefined ? (
        <input
          {...common}
          type="text"
          inputMode={numeric ? "decimal" : "text"}
          autoComplete="off"
          placeholder={fallback}
        />
      ) : (
        <select {...common}>
          <option value="">default{fallback === undefined ? "" : ` (${fallback})`}</option>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
      {schema.description !== undefined && (
        <small id={`${id}-help`} class="help">
          {schema.description}
        </small>
      )}
      {error !== undefined && (
        <small id={`${id}-error`} class="error">
          {error}
        </small>
      )}
    </div>
  );
}
