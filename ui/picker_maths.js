// The maps themselves: factors -> one row or channel map, rankings, normalisation.
// The same arithmetic as models/pairwise.py, models/kernels.py and viz/channel_maps.py.

const HALF_TABLE = (() => {
  const table = new Float32Array(65536);
  for (let bits = 0; bits < 65536; bits++) {
    const exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent === 0 ? fraction * 2 ** -24
      : exponent === 31 ? (fraction ? NaN : Infinity)
      : (1 + fraction / 1024) * 2 ** (exponent - 15);
    table[bits] = bits & 32768 ? -size : size;
  }
  return table;
})();

function halves(buffer, base, place) {
  const bits = new Uint16Array(buffer, base + place.offset, place.length / 2);
  const out = new Float32Array(bits.length);
  for (let k = 0; k < bits.length; k++) out[k] = HALF_TABLE[bits[k]] * place.peak;
  return out;
}

function floats(buffer, base, place) {
  return new Float32Array(buffer, base + place.offset, place.length / 4).slice();
}

// f(x_i, x_j) / C(x) over the key grid for query position i, which lies in the first frame: where
// frames attend in groups, keys outside the first group stay 0.
function nonlocalRow(panel, i) {
  const { queries, keys } = panel.factors;
  const { width, groups, pairwise: { name, scale, softmax } } = panel;
  const whole = new Float32Array(keys.length / width), count = whole.length / groups;
  const row = whole.subarray(0, count);
  if (name === "concatenation") {
    for (let j = 0; j < count; j++) row[j] = Math.max(0, queries[i] + keys[j]) / count;
    return whole;
  }
  const query = queries.subarray(i * width, (i + 1) * width);
  for (let j = 0, k = 0; j < count; j++) {
    let sum = 0;
    for (let d = 0; d < width; d++) sum += query[d] * keys[k++];
    row[j] = sum * scale;
  }
  if (softmax) softmaxInPlace(row);
  else for (let j = 0; j < count; j++) row[j] /= count;
  return whole;
}

function softmaxInPlace(row) {
  let top = -Infinity, total = 0;
  for (const v of row) if (v > top) top = v;
  for (let j = 0; j < row.length; j++) total += row[j] = Math.exp(row[j] - top);
  for (let j = 0; j < row.length; j++) row[j] /= total;
}

// k(a, b): the Taylor form sum_p alpha_p^2 (a b)^p, or the exact kernel.
function comparer(kernel) {
  if (kernel.terms) {
    if (kernel.terms.length === 1 && kernel.terms[0][0] === 1) {
      const weight = kernel.terms[0][1];
      return (a, b) => weight * a * b;
    }
    return (a, b) => {
      let sum = 0;
      for (const [power, weight] of kernel.terms) sum += weight * (a * b) ** power;
      return sum;
    };
  }
  if (kernel.linear) return (a, b) => a * b;
  return (a, b) => kernel.outer * Math.exp(kernel.inner * a * b);
}

function addChannel(panel, channel, i, out) {
  const { theta, phi, positions } = panel.factors;
  const a = theta[channel * positions + i], first = channel * positions;
  for (let j = 0; j < positions; j++) out[j] += panel.compare(a, phi[first + j]);
}

function channelMap(panel, channel, i) {
  const out = new Float32Array(panel.factors.positions);
  addChannel(panel, channel, i, out);
  return out;
}

function groupMap(panel, group, i) {
  const out = new Float64Array(panel.factors.positions);
  const size = panel.channels / panel.groups;
  for (let c = group * size; c < (group + 1) * size; c++) addChannel(panel, c, i, out);
  return Float32Array.from(out);
}

// Scores of every channel at reference i, as viz/channel_maps.py has them.
const SCORES = {
  standout: (panel, i) => {
    const { theta, mean, spread, contrast, positions } = panel.factors;
    return mean.map((m, c) => ((theta[c * positions + i] - m) / spread[c]) * contrast[c]);
  },
  response: (panel, i) => {
    const { response, positions, mean } = panel.factors;
    return mean.map((_, c) => Math.abs(response[c * positions + i]));
  },
  contrast: (panel, i) => panel.factors.mean.map((_, c) => {
    const [low, high] = range(channelMap(panel, c, i));
    return high - low;
  }),
};

function chosenChannels(panel, i) {
  if (panel.listed.length) return panel.listed;
  if (panel.ranking === "one per group") {
    const scores = SCORES.standout(panel, i), size = panel.channels / panel.groups, best = [];
    for (let g = 0; g < panel.groups; g++) {
      let top = g * size;
      for (let c = top + 1; c < (g + 1) * size; c++) if (scores[c] > scores[top]) top = c;
      best.push(top);
    }
    return best.slice(0, panel.count);
  }
  const scores = SCORES[panel.ranking](panel, i);
  return Array.from(scores.keys()).sort((a, b) => scores[b] - scores[a] || a - b).slice(0, panel.count);
}

function range(values) {
  let low = Infinity, high = -Infinity;
  for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
  return [low, high];
}

const ROUNDING = 5e-6; // viz/heat.py: spread up to which a map is float32 noise on a constant

// Values -> [0, 1] and what 0 and 1 stand for; constant maps are marked, not divided.
function normalised(values, look) {
  let [low, high] = look.normalise === "fixed" ? look.fixed_range : range(values);
  const span = high - low;
  const noise = look.normalise === "fixed" ? 0 : ROUNDING * Math.max(Math.abs(low), Math.abs(high));
  if (!(span > noise) || !Number.isFinite(span)) return { values: null, low, high, constant: true };
  const scaled = new Float32Array(values.length);
  for (let j = 0; j < values.length; j++) scaled[j] = Math.min(1, Math.max(0, (values[j] - low) / span));
  return { values: scaled, low, high, constant: false };
}

function rankOf(values, position) {
  let above = 0;
  for (const v of values) if (v > values[position]) above++;
  return above + 1;
}
