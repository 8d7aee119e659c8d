// Maps over all patches of an object: what Python has made, or the mean of the patches' maps.

import { arithmeticOf } from "../arithmetic/arithmetic.js";
import { readArrays } from "../arithmetic/buffers.js";

// The means of a panel by frame and number, read from the blob.
export function readMeans(buffer, base, over) {
  return new Map(over.map(({ arrays, ...one }) => [`${one.frame}:${one.number}`, { ...one, ...readArrays(buffer, base, arrays) }]));
}

export const overOf = (panel, at) => (at.object == null ? null : panel.means.get(`${at.frame}:${at.object}`) ?? null);

// Writes the map called `name` at `at` (position i) to `out`: of the patch, or the mean over `over`.
export function mapOver(panel, over, name, chosen, i, out) {
  const { map } = arithmeticOf(panel.arithmetic), words = map(panel, name, chosen, i, out);
  // What Python computed is the mean already, where an object is pinned.
  if (!over || (panel.arithmetic === "static" && !over.mean)) return words;
  if (over.mean) out.set(over.mean);
  else {
    const one = new Float32Array(out.length), sum = new Float64Array(out.length);
    for (const position of over.positions) {
      map(panel, name, chosen, position, one);
      for (let j = 0; j < one.length; j++) sum[j] += one[j] / over.positions.length;
    }
    out.set(sum);
  }
  return { ...words, label: `${words.label}, mean over ${over.text}` };
}
