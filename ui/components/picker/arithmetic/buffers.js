// Arrays out of the blob that Python sends: float16 over a peak, float16 heights, float32.

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

function halves(buffer, base, { offset, length, peak }) {
  const bits = new Uint16Array(buffer, base + offset, length / 2);
  const out = new Float32Array(bits.length);
  for (let k = 0; k < bits.length; k++) out[k] = HALF_TABLE[bits[k]] * peak;
  return out;
}

// A map that Python computed: float16 between its lowest and highest value.
function heights(buffer, base, { low, span, ...place }) {
  return halves(buffer, base, { ...place, peak: 1 }).map((v) => low + span * v);
}

const floats = (buffer, base, { offset, length }) => new Float32Array(buffer, base + offset, length / 4).slice();

const READERS = { half: halves, height: heights, float: floats };

// The arrays of a panel by name, as float32.
export function readArrays(buffer, base, places) {
  const read = ([name, place]) => [name, READERS[place.type](buffer, base, place)];
  return Object.fromEntries(Object.entries(places).map(read));
}
