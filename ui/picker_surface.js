// One canvas: the picture, and heat painted on it exactly as viz/overlay.py does:
// upsample the scalar with half-pixel centres, threshold, colour, blend.

class Surface {
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
  }

  // picture: ImageBitmap; span: the part the network sees, in this canvas's pixels; grid: of the keys.
  lay(picture, width, height, span, grid) {
    Object.assign(this, { width, height, span, grid });
    this.canvas.width = width;
    this.canvas.height = height;
    this.context.drawImage(picture, 0, 0, width, height);
    this.base = this.context.getImageData(0, 0, width, height);
    this.baseWords = new Uint32Array(this.base.data.buffer);
    this.image = this.context.createImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
    this.across = Surface.weights(grid.cols, span.right - span.left);
    this.down = Surface.weights(grid.rows, span.bottom - span.top);
    this.stretched = new Float32Array(grid.rows * (span.right - span.left));
  }

  // For each output pixel: the two cells it lies between, the share of the second, and its own cell.
  static weights(cells, pixels) {
    const first = new Int32Array(pixels), second = new Int32Array(pixels);
    const share = new Float32Array(pixels), nearest = new Int32Array(pixels);
    for (let k = 0; k < pixels; k++) {
      const at = Math.max(0, (k + 0.5) * (cells / pixels) - 0.5);
      first[k] = Math.min(cells - 1, Math.floor(at));
      second[k] = Math.min(cells - 1, first[k] + 1);
      share[k] = at - first[k];
      nearest[k] = Math.min(cells - 1, Math.floor((k + 0.5) * (cells / pixels)));
    }
    return { first, second, share, nearest };
  }

  // heat: {values in [0, 1] over the grid, constant}; table: 768 bytes of RGB.
  paint(heat, look, table) {
    this.words.set(this.baseWords);
    if (!heat.constant) {
      if (look.interpolation === "nearest") this.paintCells(heat.values, look, table);
      else this.paintSmooth(heat.values, look, table);
    }
    this.context.putImageData(this.image, 0, 0);
  }

  paintSmooth(values, look, table) {
    const { across, down, stretched, span, grid } = this;
    const wide = span.right - span.left, cut = Math.fround(look.threshold);
    const peaks = new Float32Array(grid.rows);
    for (let r = 0; r < grid.rows; r++) {
      const from = r * grid.cols, to = r * wide;
      let peak = 0;
      for (let x = 0; x < wide; x++) {
        const a = values[from + across.first[x]], b = values[from + across.second[x]];
        const v = a + (b - a) * across.share[x];
        stretched[to + x] = v;
        if (v > peak) peak = v;
      }
      peaks[r] = peak;
    }
    for (let y = 0; y < span.bottom - span.top; y++) {
      const r0 = down.first[y], r1 = down.second[y], share = down.share[y];
      if (peaks[r0] < cut && peaks[r1] < cut) continue;
      this.blendRow(y, look, table, cut, (r0 * wide) | 0, (r1 * wide) | 0, share);
    }
  }

  blendRow(y, look, table, cut, top, below, share) {
    const { stretched, span } = this, wide = span.right - span.left;
    const from = this.base.data, to = this.image.data, opacity = look.heat_opacity, rest = 1 - opacity;
    let p = ((span.top + y) * this.width + span.left) * 4;
    for (let x = 0; x < wide; x++, p += 4) {
      const a = stretched[top + x], v = a + (stretched[below + x] - a) * share;
      if (v < cut) continue;
      const c = 3 * Math.min(255, (v * 255 + 0.5) | 0);
      to[p] = rest * from[p] + opacity * table[c];
      to[p + 1] = rest * from[p + 1] + opacity * table[c + 1];
      to[p + 2] = rest * from[p + 2] + opacity * table[c + 2];
    }
  }

  paintCells(values, look, table) {
    const { across, down, span, grid } = this;
    const from = this.base.data, to = this.image.data, opacity = look.heat_opacity, rest = 1 - opacity;
    const cut = Math.fround(look.threshold);
    for (let y = 0; y < span.bottom - span.top; y++) {
      const row = down.nearest[y] * grid.cols;
      let p = ((span.top + y) * this.width + span.left) * 4;
      for (let x = 0; x < span.right - span.left; x++, p += 4) {
        const v = values[row + across.nearest[x]];
        if (v < cut) continue;
        const c = 3 * Math.min(255, (v * 255 + 0.5) | 0);
        to[p] = rest * from[p] + opacity * table[c];
        to[p + 1] = rest * from[p + 1] + opacity * table[c + 1];
        to[p + 2] = rest * from[p + 2] + opacity * table[c + 2];
      }
    }
  }
}
