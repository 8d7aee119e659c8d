// Rows of queries and keys: f(x_i, x_j) / C(x) over the key grid, one row a head. The same arithmetic as
// viz/attention/kinds/affinity.py and features.py.

import { cellsOf } from "../drawing/geometry.js";

// Dot products of one query with consecutive keys, `stride` apart; four sums at a time keep the
// processor busy.
function dots(queries, keys, from, first, width, stride, scale, row) {
  const four = width - (width % 4);
  for (let j = 0; j < row.length; j++) {
    let a = 0, b = 0, c = 0, e = 0, d = 0, k = first + j * stride;
    for (; d < four; d += 4, k += 4) {
      a += queries[from + d] * keys[k];
      b += queries[from + d + 1] * keys[k + 1];
      c += queries[from + d + 2] * keys[k + 2];
      e += queries[from + d + 3] * keys[k + 3];
    }
    for (; d < width; d++, k++) a += queries[from + d] * keys[k];
    row[j] = (a + b + c + e) * scale;
  }
}

const NORMALISERS = {
  softmax(row) {
    let top = -Infinity, total = 0;
    for (const v of row) if (v > top) top = v;
    for (let j = 0; j < row.length; j++) total += row[j] = Math.exp(row[j] - top);
    for (let j = 0; j < row.length; j++) row[j] /= total;
  },
  count(row) {
    for (let j = 0; j < row.length; j++) row[j] /= row.length;
  },
  none() {},
};

// The row of one head for query position i, written to `out`. Where positions attend in groups, keys
// outside the group of i stay 0.
function rowOf(panel, head, i, out) {
  const { queries, keys = queries } = panel.arrays, { width, heads, groups, form, scale, normaliser } = panel.options;
  const count = out.length / groups, first = Math.floor((i * groups) / cellsOf(panel.grid)) * count;
  const row = out.fill(0).subarray(first, first + count), stride = width * heads, at = head * width;
  if (form === "sum") for (let j = 0; j < count; j++) row[j] = Math.max(0, queries[i * stride + at] + keys[(first + j) * stride + at]);
  else dots(queries, keys, i * stride + at, first * stride + at, width, stride, scale, row);
  NORMALISERS[normaliser](row);
  return out;
}

// Mean or maximum over heads.
function summary(panel, name, i, out) {
  const { heads } = panel.options, one = new Float32Array(out.length), sum = new Float64Array(out.length);
  if (name === "maximum") sum.fill(-Infinity);
  for (let head = 0; head < heads; head++) {
    rowOf(panel, head, i, one);
    for (let j = 0; j < one.length; j++) sum[j] = name === "mean" ? sum[j] + one[j] / heads : Math.max(sum[j], one[j]);
  }
  out.set(sum);
}

export const rows = {
  prepare: (panel) => panel,
  choose: () => [],
  map(panel, name, _chosen, i, out) {
    const [word, number] = name.split(" ");
    if (word === "mean" || word === "maximum") summary(panel, word, i, out);
    else rowOf(panel, number ? Number(number) : 0, i, out);
    return number ? { label: name, tag: `h${number}` } : { label: name || panel.options.label, tag: name };
  },
};
