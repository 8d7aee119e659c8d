// One canvas: a frame, and heat painted on it as viz/figure/draw/rasters.py does:
// upsample the scalar with half-pixel centres, threshold, colour, blend.

const ONE = 1 << 16; // shares are whole numbers of 1/65536: much faster than clamped fractions

// The colour's part of each blend, rounding included, and the share that is left to the picture.
let kept = {};
function mixture(look, table) {
  if (kept.look !== look || kept.table !== table) {
    const tints = Int32Array.from(table, (v) => Math.round(look.heat_opacity * v * ONE) + ONE / 2);
    kept = { look, table, tints, rest: ONE - Math.round(look.heat_opacity * ONE) };
  }
  return kept;
}

function blended(under, red, green, blue, rest) {
  return 0xff000000 | (((rest * ((under >> 16) & 255) + blue) >> 16) << 16)
    | (((rest * ((under >> 8) & 255) + green) >> 16) << 8) | ((rest * (under & 255) + red) >> 16);
}

// What canvases of one size share: where heat goes, the weights of the grid there, room to paint in.
// span: the part the network sees, in the canvas's pixels; grid: of the keys.
export class Room {
  constructor(width, height, span, grid) {
    Object.assign(this, { width, height, span, grid });
    this.image = new ImageData(width, height);
    this.words = new Uint32Array(this.image.data.buffer);
    this.across = Room.weights(grid.cols, span.right - span.left);
    this.down = Room.weights(grid.rows, span.bottom - span.top);
    this.stretched = new Float32Array(grid.rows * (span.right - span.left));
    this.peaks = new Float32Array(grid.rows);
  }

  // Room for canvases `width` pixels wide of a picture that is larger.
  static scaled(panel, picture, width) {
    const scale = width / picture.width, height = Math.max(8, Math.round(picture.height * scale));
    const down = height / picture.height, { left, right, top, bottom } = panel.span, round = Math.round;
    const span = { left: round(left * scale), right: Math.max(round(left * scale) + 1, round(right * scale)),
      top: round(top * down), bottom: Math.max(round(top * down) + 1, round(bottom * down)) };
    return new Room(width, height, span, panel.keyGrid);
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

  // Blends the heat of one moment, whose cells begin at `from`, over the base into the image. Pixels are
  // words of four bytes, on every machine that browsers run on with red in the lowest.
  blend(base, values, from, look, table, cut) {
    const mix = mixture(look, table);
    if (look.interpolation === "nearest") this.blendCells(base, values, from, mix, cut);
    else this.blendSmooth(base, values, from, mix, cut);
  }

  blendSmooth(base, values, from, mix, cut) {
    const { across, down, stretched, peaks, span, grid } = this;
    const wide = span.right - span.left;
    for (let r = 0; r < grid.rows; r++) {
      const first = from + r * grid.cols, to = r * wide;
      let peak = 0;
      for (let x = 0; x < wide; x++) {
        const a = values[first + across.first[x]], b = values[first + across.second[x]];
        const v = a + (b - a) * across.share[x];
        stretched[to + x] = v;
        if (v > peak) peak = v;
      }
      peaks[r] = peak;
    }
    for (let y = 0; y < span.bottom - span.top; y++) {
      const r0 = down.first[y], r1 = down.second[y];
      if (peaks[r0] < cut && peaks[r1] < cut) continue;
      this.blendRow(base, y, mix, cut, (r0 * wide) | 0, (r1 * wide) | 0, down.share[y]);
    }
  }

  blendRow(base, y, { tints, rest }, cut, top, below, share) {
    const { stretched, span, words } = this, wide = span.right - span.left;
    let p = (span.top + y) * this.width + span.left;
    for (let x = 0; x < wide; x++, p++) {
      const a = stretched[top + x], v = a + (stretched[below + x] - a) * share;
      if (v < cut) continue;
      const c = 3 * Math.min(255, (v * 255 + 0.5) | 0), under = base[p];
      words[p] = blended(under, tints[c], tints[c + 1], tints[c + 2], rest);
    }
  }

  blendCells(base, values, from, { tints, rest }, cut) {
    const { across, down, span, grid, words } = this;
    for (let y = 0; y < span.bottom - span.top; y++) {
      const row = from + down.nearest[y] * grid.cols;
      let p = (span.top + y) * this.width + span.left;
      for (let x = 0; x < span.right - span.left; x++, p++) {
        const v = values[row + across.nearest[x]];
        if (v < cut) continue;
        const c = 3 * Math.min(255, (v * 255 + 0.5) | 0), under = base[p];
        words[p] = blended(under, tints[c], tints[c + 1], tints[c + 2], rest);
      }
    }
  }
}

export class Surface {
  constructor(canvas, room) {
    Object.assign(this, { canvas, room });
    canvas.width = room.width;
    canvas.height = room.height;
    this.context = canvas.getContext("2d", { willReadFrequently: true });
    this.context.imageSmoothingQuality = "high";
  }

  // The frame under the heat.
  show(bitmap) {
    const { width, height } = this.room;
    this.context.drawImage(bitmap, 0, 0, width, height);
    this.base = this.context.getImageData(0, 0, width, height);
    this.baseWords = new Uint32Array(this.base.data.buffer);
    this.clean = true;
  }

  // The frame of another canvas of this size.
  share({ base, baseWords }) {
    Object.assign(this, { base, baseWords, clean: true });
    this.context.putImageData(base, 0, 0);
  }

  // Paints one moment of a heat. A canvas that is bare and stays so is left alone.
  paint(heat, moment, look, table) {
    const cut = heat.levels[moment], bare = heat.constant || heat.peaks[moment] < cut;
    if (bare && this.clean) return;
    this.clean = bare;
    if (bare) {
      this.context.putImageData(this.base, 0, 0);
      return;
    }
    const { room } = this;
    room.words.set(this.baseWords);
    room.blend(this.baseWords, heat.values, moment * room.grid.rows * room.grid.cols, look, table, cut);
    this.context.putImageData(room.image, 0, 0);
  }
}
