import { useEffect, useState } from "preact/hooks";
import { OPTIMIZERS } from "../../schemas/optimizers.js";
import { client } from "../data/api.js";
import { Choice } from "./choice.js";
import { ENGINES, type FieldSchema, type Form, modelParameters, optimizerParameters, show } from "./compose-form.js";
import { Field } from "./field.js";

interface Props {
  readonly form: Form;
  readonly set: (name: string, value: string) => void;
  readonly errors: Readonly<Record<string, string>>;
}

export function OptimizerChoice({ form, change }: { form: Form; change: (form: Form) => void }) {
  return (
    <Choice
      label="Optimizer"
      name="optimizer"
      form={form}
      choose={(name, type) => change(withType(form, name, type))}
      groups={{ "": Object.keys(OPTIMIZERS) }}
    />
  );
}

/** Another type has other parameters. */
export function withType(form: Form, name: "schedule" | "optimizer", type: string): Form {
  return Object.fromEntries([
    ...Object.entries(form).filter(([key]) => !key.startsWith(`${name}/`)),
    [name, type],
  ]) as Form;
}

/** What is trained on. */
export function DatasetField({ form, set, errors }: Props) {
  const datasets = useDatasetNames();
  return (
    <div class="field">
      <Field
        name="dataset"
        label="Dataset"
        schema={datasetSchema(datasets, form.dataset)}
        fallback="names"
        {...{ form, set, errors }}
      />
      <small class="help">
        <a href="#/datasets">Use words of your own</a>
      </small>
    </div>
  );
}

/** What runs and searches train alike: the optimizer's parameters, model, engine. */
export function SetupFields({ form, set, errors }: Props) {
  const parameters = (prefix: string, fields: readonly [string, FieldSchema][], label: (name: string) => string) =>
    fields.map(([name, schema]) => (
      <Field
        key={name}
        name={`${prefix}/${name}`}
        label={label(name)}
        fallback={schema.default === undefined ? undefined : show(schema.default)}
        {...{ schema, form, set, errors }}
      />
    ));
  return (
    <>
      {parameters("optimizer", optimizerParameters(form.optimizer!), (name) => `${form.optimizer} ${name}`)}
      {parameters("model", modelParameters(), (name) => name)}
      <Field
        name="datasetLimit"
        label="First n examples only"
        schema={{ type: "integer" }}
        fallback="all"
        {...{ form, set, errors }}
      />
      <Choice
        label="Engine"
        name="engine"
        form={form}
        choose={(_, value) => set("engine", value)}
        groups={{ "": ENGINES }}
      />
    </>
  );
}

/** The names to choose from; null while they are not known, when any can be written. */
function useDatasetNames(): readonly string[] | null {
  const [names, setNames] = useState<readonly string[] | null>(null);
  useEffect(() => {
    client.datasets.list().then(
      (datasets) => setNames(datasets.map(({ name }) => name)),
      () => {},
    );
  }, []);
  return names;
}

/** A dataset that a link asks for stays chosen where it is gone: the API says so. */
function datasetSchema(names: readonly string[] | null, chosen = ""): FieldSchema {
  if (names === null) return {};
  return { enum: chosen === "" || names.includes(chosen) ? names : [...names, chosen] };
}
