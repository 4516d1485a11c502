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
      const next = (t: number, lr: number) => lr * factor(t);
      // Its factor of step 0 is left out in the constructor only.
      return { first: (lr) => lr, next, takeOver: (lr) => next(0, lr) };
    },
  },
} satisfies { readonly [T in TorchType]?: TorchDefinition<T> };
