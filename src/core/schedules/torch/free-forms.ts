import { factorErrors } from "../checks.js";
import { buildFactor } from "../factors.js";
import { lambda, multiplicative } from "../native/free-forms.js";
import { high } from "../run-defaults.js";
import type { TorchDefinition, TorchType } from "./stepping.js";

/** PyTorch's classes whose factor the request writes down. */
export const TORCH_FREE_FORMS = {
  LambdaLR: {
    defaults: { lr: high },
    expression: ({ lr, lrLambda }) => ({ type: "lambda", lr, factor: lrLambda }),
    check: ({ lr, lrLambda: factor }, steps) =>
      factorErrors(factor, "/lrLambda", steps, { recurrent: false, schedule: () => lambda({ lr, factor }) }),
  },
  MultiplicativeLR: {
    defaults: { lr: high },
    expression: ({ lr, lrLambda }) => ({ type: "multiplicative", lr, factor: lrLambda }),
    check: ({ lr, lrLambda: factor }, steps) =>
      factorErrors(factor, "/lrLambda", steps, { recurrent: true, schedule: () => multiplicative({ lr, factor }) }),
    stepping: ({ lrLambda }) => {
      const factor = buildFactor(lrLambda);
      return { first: (lr) => lr, next: (t, lr) => lr * factor(t) };
    },
  },
} satisfies { readonly [T in TorchType]?: TorchDefinition<T> };
