// Canvas pixels <-> cells and clip frames <-> moments: the same as viz/geometry.py and viz/types.py.

export const cellsOf = (grid) => grid.frames * grid.rows * grid.cols;

// The grid cell under canvas pixel (x, y), or null outside what the network sees.
export function cellUnder(geometry, grid, x, y) {
  const u = (x * geometry.resized_width) / geometry.width - geometry.crop_left;
  const v = (y * geometry.resized_height) / geometry.height - geometry.crop_top;
  const col = Math.floor((u * grid.cols) / geometry.input_width);
  const row = Math.floor((v * grid.rows) / geometry.input_height);
  return row >= 0 && row < grid.rows && col >= 0 && col < grid.cols ? { row, col } : null;
}

// The rectangle of a cell in canvas pixels.
function boxOf(geometry, grid, cell) {
  const wide = geometry.input_width / grid.cols, high = geometry.input_height / grid.rows;
  const across = geometry.width / geometry.resized_width, down = geometry.height / geometry.resized_height;
  return {
    left: (cell.col * wide + geometry.crop_left) * across, top: (cell.row * high + geometry.crop_top) * down,
    width: wide * across, height: high * down,
  };
}

export function centreOf(geometry, grid, cell) {
  const { left, top, width, height } = boxOf(geometry, grid, cell);
  return { x: left + width / 2, y: top + height / 2 };
}

export function nearestCell(geometry, grid, x, y) {
  const corner = boxOf(geometry, grid, { row: 0, col: 0 });
  const right = corner.left + corner.width * grid.cols, bottom = corner.top + corner.height * grid.rows;
  return cellUnder(geometry, grid,
    Math.min(Math.max(x, corner.left + 1e-6), right - 1e-3), Math.min(Math.max(y, corner.top + 1e-6), bottom - 1e-3));
}

// The moment of `moments` that frame `frame` of `frames` lies in: networks may pool time.
export const momentOf = (frame, frames, moments) => Math.floor((frame * moments) / frames);

// The position in the key grid of the cell under the middle of a query's, as viz/figure/resolve.py has it.
export function ownPosition(panel, t, { row, col }) {
  const { grid, keyGrid } = panel, under = (at, queries, keys) => Math.floor(((2 * at + 1) * keys) / (2 * queries));
  const moment = under(t, grid.frames, keyGrid.frames), y = under(row, grid.rows, keyGrid.rows), x = under(col, grid.cols, keyGrid.cols);
  return panel.referenced ? (moment * keyGrid.rows + y) * keyGrid.cols + x : -1;
}

// The middle one of the frames that share a moment, as viz/rendering/marks.py has it; a moment that no frame
// lies in goes to the frame before it.
export function frameOf(moment, frames, moments) {
  const first = Math.ceil((moment * frames) / moments), next = Math.ceil(((moment + 1) * frames) / moments);
  return first < next ? first + ((next - first) >> 1) : Math.floor((moment * frames) / moments);
}

// Puts a rectangle on the cell, in shares of the picture's sides.
export function outline(box, panel, cell, { width, height }) {
  const place = boxOf(panel.geometry, panel.grid, cell);
  box.style.left = `${(100 * place.left) / width}%`;
  box.style.top = `${(100 * place.top) / height}%`;
  box.style.width = `${(100 * place.width) / width}%`;
  box.style.height = `${(100 * place.height) / height}%`;
}
