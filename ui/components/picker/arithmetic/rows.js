// Rows of queries and keys: f(x_i, x_j) / C(x) over the key grid, one row a head. The same arithmetic as
// viz/attention/kinds/affinity.py, features.py and tokens/.

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
  const stride = width * heads, at = head * width, all = keys.length / stride;
  if (all !== out.length) return joinedRow(panel, head, i, all, out);
  const count = out.length / groups, first = Math.floor((i * groups) / cellsOf(panel.grid)) * count;
  const row = out.fill(0).subarray(first, first + count);
  if (form === "sum") for (let j = 0; j < count; j++) row[j] = Math.max(0, queries[i * stride + at] + keys[(first + j) * stride + at]);
  else dots(queries, keys, i * stride + at, first * stride + at, width, stride, scale, row);
  NORMALISERS[normaliser](row);
  return out;
}

// Of a row whose keys lie in two pictures: those of the picture that is shown, from the `first`.
function joinedRow(panel, head, i, all, out) {
  panel.both ??= new Float32Array(all);
  rowOf(panel, head, i, panel.both);
  out.set(panel.both.subarray(panel.options.first, panel.options.first + out.length));
  return out;
}

// The row of one head where keys are tokens of a window: some have no cell (class, registers, padding),
// and something may be added to the products (tables of Nq x Nk, one a window and head).
function tokenRow(panel, head, i, out) {
  const { queries, keys, window, keyCell, added, addedOf, token } = panel.arrays;
  const { width, heads, scale, queryTokens, keyTokens, normaliser } = panel.options;
  panel.row ??= new Float32Array(keyTokens);
  const { row } = panel, at = window[i], stride = width * heads;
  if (width) dots(queries, keys, i * stride + head * width, at * keyTokens * stride + head * width, width, stride, scale, row);
  else row.fill(0);
  if (added) {
    const table = (addedOf[at * heads + head] * queryTokens + token[i]) * keyTokens;
    for (let j = 0; j < keyTokens; j++) row[j] += added[table + j];
  }
  NORMALISERS[normaliser](row);
  out.fill(0);
  for (let j = 0; j < keyTokens; j++) {
    const cell = keyCell[at * keyTokens + j];
    if (cell >= 0) out[cell] += row[j];
  }
  return out;
}

const rowOfHead = (panel, head, i, out) => (panel.options.form === "tokens" ? tokenRow : rowOf)(panel, head, i, out);

// Mean or maximum over heads.
function summary(panel, name, i, out) {
  const { heads } = panel.options, one = new Float32Array(out.length), sum = new Float64Array(out.length);
  if (name === "maximum") sum.fill(-Infinity);
  for (let head = 0; head < heads; head++) {
    rowOfHead(panel, head, i, one);
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
    else rowOfHead(panel, number ? Number(number) : 0, i, out);
    return number ? { label: name, tag: `h${number}` } : { label: name || panel.options.label, tag: name };
  },
};
