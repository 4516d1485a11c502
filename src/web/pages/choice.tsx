import type { Form } from "./compose-form.js";

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  readonly form: Form;
  readonly choose: (name: never, value: string) => void;
  readonly groups: Readonly<Record<string, readonly string[]>>;
}

/** One of several types, in groups; group "" has no heading. */
export function Choice({ label, name, form, choose, groups }: ChoiceProps) {
  const id = `field-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={form[name]} onChange={(event) => choose(name as never, event.currentTarget.value)}>
        {Object.entries(groups).map(([group, types]) => {
          const options = types.map((type) => (
            <option key={type} value={type}>
              {type}
            </option>
          ));
          return group === "" ? (
            options
          ) : (
            <optgroup key={group} label={group}>
              {options}
            </optgroup>
          );
        })}
      </select>
    </div>
  );
}
