// Which arithmetic draws a panel: a table of what `MapKind.browser` in viz/attention/kinds can name. Each
// has `prepare(panel)`, made once; `choose(panel, i)`, the ranked maps at reference position i; and
// `map(panel, name, chosen, i, out)`, which writes a map to `out` and returns its label and tag.

import { channels } from "./channels.js";
import { rows } from "./rows.js";
import { fixed } from "./static.js";

const ARITHMETICS = { rows, channels, static: fixed };

export function arithmeticOf(name) {
  if (!Object.hasOwn(ARITHMETICS, name)) {
    throw new Error(`${name} is not an arithmetic of the picker; it has ${Object.keys(ARITHMETICS).join(", ")}`);
  }
  return ARITHMETICS[name];
}
