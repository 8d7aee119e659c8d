// What a network looks like on the page: its canvas, colour bar, marks and small maps.
// Names are only ever text: they go in through textContent.

const THUMB_WIDTH = 112;
const NORMALISATION = {
  clip: "min-max over the map", frame: "min-max of each frame", fixed: "fixed range",
};

function make(tag, className, parent, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

const short = (v) => (v === 0 ? "0" : Math.abs(v) >= 1e4 || Math.abs(v) < 1e-3 ? v.toExponential(2) : v.toPrecision(3));

// The grid cell under canvas pixel (x, y), or null outside what the network sees.
function cellUnder(geometry, grid, x, y) {
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

function nearestCell(geometry, grid, x, y) {
  const corner = boxOf(geometry, grid, { row: 0, col: 0 });
  const right = corner.left + corner.width * grid.cols, bottom = corner.top + corner.height * grid.rows;
  return cellUnder(geometry, grid,
    Math.min(Math.max(x, corner.left + 1e-6), right - 1e-3), Math.min(Math.max(y, corner.top + 1e-6), bottom - 1e-3));
}

// Names of the maps a CGNL panel can show: "channel 1".. by rank, then "group 0"..
function mapNames(panel) {
  if (panel.kind !== "cgnl") return [];
  const count = panel.listed.length || Math.min(panel.count, panel.ranking === "one per group" ? panel.groups : panel.channels);
  return [
    ...Array.from({ length: count }, (_, k) => `channel ${k + 1}`),
    ...Array.from({ length: panel.groups }, (_, k) => `group ${k}`),
  ];
}

// The map called `name`, for the channels in use at reference i.
function namedMap(panel, name, channels, i) {
  const number = Number(name.split(" ")[1]);
  if (name.startsWith("group")) return { values: groupMap(panel, number, i), label: `group ${number}`, tag: `g${number}` };
  const channel = channels[number - 1];
  return { values: channelMap(panel, channel, i), label: `channel ${channel}`, tag: `c${channel}` };
}

class View {
  constructor(panel, parent, picture, bitmap) {
    this.picture = picture;
    this.bitmap = bitmap;
    this.thumbs = [];
    this.root = make("div", "view", parent);
    const head = make("div", "head", this.root);
    this.title = make("div", "title", head);
    this.prediction = make("div", "prediction", head);
    this.stage = make("div", "stage", this.root);
    const canvas = make("canvas", "picture", this.stage);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    this.surface = new Surface(canvas);
    this.surface.lay(bitmap, picture.width, picture.height, panel.span, panel.keyGrid);
    this.pin = make("div", "box pinned", this.stage);
    this.reference = make("div", "box reference", this.stage);
    this.note = make("div", "note", this.stage);
    const scale = make("div", "scale", this.root);
    this.low = make("span", "", scale);
    const ramp = make("div", "ramp", scale);
    this.ramp = make("canvas", "", ramp);
    this.ramp.width = 256;
    this.ramp.height = 1;
    this.cut = make("div", "cut", ramp);
    this.cutText = make("span", "", this.cut);
    this.high = make("span", "", scale);
    this.caption = make("div", "caption", this.root);
  }

  // Small maps in strips under both pictures; `choose` gets the name of the one clicked.
  addThumbs(panel, parent, choose) {
    const names = mapNames(panel);
    if (!names.length) return;
    const scale = THUMB_WIDTH / this.picture.width, round = Math.round;
    const height = Math.max(8, round(this.picture.height * scale));
    const down = height / this.picture.height, { span } = panel;
    const small = { left: round(span.left * scale), right: Math.max(round(span.left * scale) + 1, round(span.right * scale)),
      top: round(span.top * down), bottom: Math.max(round(span.top * down) + 1, round(span.bottom * down)) };
    for (const kind of ["channel", "group"]) {
      const strip = make("div", "strip", parent);
      const heading = make("div", "heading", strip);
      if (kind === "channel") this.heading = heading;
      else heading.textContent = `${panel.title}: groups (sum of each group's ${panel.channels / panel.groups} channel maps)`;
      const row = make("div", "thumbs", strip);
      for (const name of names.filter((n) => n.startsWith(kind))) {
        const button = make("button", "thumb", row);
        button.type = "button";
        const surface = new Surface(make("canvas", "", button));
        surface.lay(this.bitmap, THUMB_WIDTH, height, small, panel.keyGrid);
        button.onclick = () => choose(name);
        this.thumbs.push({ name, button, surface, text: make("span", "", button) });
      }
    }
  }

  label(panel, look, table) {
    this.title.textContent = panel.title;
    this.prediction.textContent = panel.prediction;
    this.surface.canvas.setAttribute("aria-label",
      `${panel.title}. Arrow keys move the reference patch, Enter pins it, Escape goes back to the pin.`);
    if (this.heading) {
      this.heading.textContent = `${panel.title}: ${panel.how}`;
    }
    const context = this.ramp.getContext("2d"), image = context.createImageData(256, 1);
    for (let k = 0; k < 256; k++) {
      image.data.set(table.subarray(3 * k, 3 * k + 3), 4 * k);
      image.data[4 * k + 3] = k / 255 >= look.threshold ? 255 : 56;
    }
    context.putImageData(image, 0, 0);
    this.cut.style.left = `${100 * look.threshold}%`;
    this.cutText.textContent = `cut ${look.threshold.toFixed(2)}`;
  }

  outline(box, panel, cell) {
    const { left, top, width, height } = boxOf(panel.geometry, panel.grid, cell), { picture } = this;
    box.style.left = `${(100 * left) / picture.width}%`;
    box.style.top = `${(100 * top) / picture.height}%`;
    box.style.width = `${(100 * width) / picture.width}%`;
    box.style.height = `${(100 * height) / picture.height}%`;
  }

  paintThumbs(panel, look, table) {
    if (!this.small) return;
    const { i, channels, focus } = this.small;
    for (const { name, button, surface, text } of this.thumbs) {
      const { values, label, tag } = namedMap(panel, name, channels, i);
      surface.paint(normalised(values, look), look, table);
      if (text.textContent !== tag) {
        text.textContent = tag;
        button.setAttribute("aria-label", `Show ${label} large`);
      }
      const pressed = String(name === focus);
      if (button.getAttribute("aria-pressed") !== pressed) button.setAttribute("aria-pressed", pressed);
    }
  }
}
