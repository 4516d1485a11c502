import { here, keepInAddressSoon } from "../router.js";
import type { View } from "./plan.js";
import { parseStretch, stretchText } from "./stretch.js";

export const stretchInAddress = (name: string): View => parseStretch(here().query.get(name));

export const keepStretch = (name: string, view: View): void =>
  keepInAddressSoon({ [name]: view === null ? null : stretchText(view) });
