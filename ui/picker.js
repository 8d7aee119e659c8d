// The picker's surface for people: canvases, pointer, keyboard, readout. Text only through textContent.

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

class Picker {
  constructor(root) {
    this.root = root;
    this.turn = 0;
    this.factors = new Map();
    this.pointer = this.keyed = null;
    this.frame = 0;
    this.draws = 0;
  }

  async update(data, send) {
    const turn = ++this.turn;
    this.send = send;
    const { buffer, byteOffset } = data.slice();
    const size = new DataView(buffer, byteOffset).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, byteOffset + 4, size)));
    const base = byteOffset + 4 + size;
    const { picture } = header;
    if (this.hash !== picture.hash) {
      const bytes = new Uint8Array(buffer, base + picture.offset, picture.length);
      this.bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }), { colorSpaceConversion: "none" });
      if (turn !== this.turn) return;
      this.hash = picture.hash;
      this.layout = null;
    }
    this.table = new Uint8Array(buffer, base + header.table.offset, header.table.length);
    Object.assign(this, { look: header.look, focus: header.focus, original: header.original, picture });
    this.panels = header.panels.map((panel, k) => this.open(panel, buffer, base, k));
    this.keyed = null;
    this.build();
    this.draw();
  }

  open(panel, buffer, base, index) {
    const read = panel.kind === "nonlocal" ? ["queries", "keys"] : ["theta", "phi"];
    let factors = this.factors.get(index);
    if (factors?.key !== panel.key) {
      factors = { key: panel.key };
      for (const name of read) factors[name] = halves(buffer, base, panel[name]);
      this.factors.set(index, factors);
    }
    const whole = { ...factors };
    if (panel.kind === "cgnl") {
      whole.positions = panel.keyGrid.rows * panel.keyGrid.cols;
      for (const name of ["mean", "spread", "contrast"]) whole[name] = floats(buffer, base, panel[name]);
      if (panel.response) whole.response = halves(buffer, base, panel.response);
    }
    const pin = { row: panel.cell.y, col: panel.cell.x };
    return { ...panel, factors: whole, pin, compare: panel.kernel && comparer(panel.kernel) };
  }

  // Names of the maps a CGNL panel can show: "channel 1".. by rank, then "group 0"..
  static mapNames(panel) {
    if (panel.kind !== "cgnl") return [];
    const count = panel.listed.length || Math.min(panel.count, panel.ranking === "one per group" ? panel.groups : panel.channels);
    return [
      ...Array.from({ length: count }, (_, k) => `channel ${k + 1}`),
      ...Array.from({ length: panel.groups }, (_, k) => `group ${k}`),
    ];
  }

  build() {
    const layout = JSON.stringify([this.hash, this.panels.map((p) => [p.kind, p.span, p.keyGrid, Picker.mapNames(p)])]);
    if (layout !== this.layout) {
      this.layout = layout;
      this.root.replaceChildren();
      const stages = make("div", "stages", this.root);
      this.views = this.panels.map((panel) => this.buildView(panel, stages));
      this.buildBar();
      this.panels.forEach((panel, k) => this.buildThumbs(panel, this.views[k]));
      this.live = make("div", "unseen", this.root);
      this.live.setAttribute("aria-live", "polite");
    }
    this.panels.forEach((panel, k) => this.label(panel, this.views[k]));
  }

  buildBar() {
    const bar = make("div", "bar", this.root);
    this.readout = make("div", "readout", bar);
    const hold = make("label", "hold", bar);
    this.hold = make("input", "", hold);
    this.hold.type = "checkbox";
    this.hold.onchange = () => this.schedule();
    make("span", "", hold, "hold the pin, read values under the pointer");
  }

  buildView(panel, parent) {
    const view = { root: make("div", "view", parent) };
    const head = make("div", "head", view.root);
    view.title = make("div", "title", head);
    view.prediction = make("div", "prediction", head);
    view.stage = make("div", "stage", view.root);
    const canvas = make("canvas", "picture", view.stage);
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "img");
    view.surface = new Surface(canvas);
    view.surface.lay(this.bitmap, this.picture.width, this.picture.height, panel.span, panel.keyGrid);
    view.pin = make("div", "box pinned", view.stage);
    view.reference = make("div", "box reference", view.stage);
    view.note = make("div", "note", view.stage);
    this.listen(canvas, panel.geometry);
    const scale = make("div", "scale", view.root);
    view.low = make("span", "", scale);
    const ramp = make("div", "ramp", scale);
    view.ramp = make("canvas", "", ramp);
    view.ramp.width = 256;
    view.ramp.height = 1;
    view.cut = make("div", "cut", ramp);
    view.cutText = make("span", "", view.cut);
    view.high = make("span", "", scale);
    view.caption = make("div", "caption", view.root);
    return view;
  }

  buildThumbs(panel, view) {
    const names = Picker.mapNames(panel);
    view.thumbs = [];
    if (!names.length) return;
    const scale = THUMB_WIDTH / this.picture.width, round = Math.round;
    const height = Math.max(8, round(this.picture.height * scale));
    const down = height / this.picture.height, { span } = panel;
    const small = { left: round(span.left * scale), right: Math.max(round(span.left * scale) + 1, round(span.right * scale)),
      top: round(span.top * down), bottom: Math.max(round(span.top * down) + 1, round(span.bottom * down)) };
    for (const kind of ["channel", "group"]) {
      const strip = make("div", "strip", this.root);
      const heading = make("div", "heading", strip);
      if (kind === "channel") view.heading = heading;
      else heading.textContent = `${panel.title}: groups (sum of each group's ${panel.channels / panel.groups} channel maps)`;
      const row = make("div", "thumbs", strip);
      for (const name of names.filter((n) => n.startsWith(kind))) {
        const button = make("button", "thumb", row);
        button.type = "button";
        const surface = new Surface(make("canvas", "", button));
        surface.lay(this.bitmap, THUMB_WIDTH, height, small, panel.keyGrid);
        button.onclick = () => this.choose(name);
        view.thumbs.push({ name, button, surface, text: make("span", "", button) });
      }
    }
  }

  label(panel, view) {
    view.title.textContent = panel.title;
    view.prediction.textContent = panel.prediction;
    view.surface.canvas.setAttribute("aria-label",
      `${panel.title}. Arrow keys move the reference patch, Enter pins it, Escape goes back to the pin.`);
    if (view.heading) {
      view.heading.textContent = `${panel.title}: ${panel.how}`;
    }
    const context = view.ramp.getContext("2d"), image = context.createImageData(256, 1);
    for (let k = 0; k < 256; k++) {
      image.data.set(this.table.subarray(3 * k, 3 * k + 3), 4 * k);
      image.data[4 * k + 3] = k / 255 >= this.look.threshold ? 255 : 56;
    }
    context.putImageData(image, 0, 0);
    view.cut.style.left = `${100 * this.look.threshold}%`;
    view.cutText.textContent = `cut ${this.look.threshold.toFixed(2)}`;
  }

  listen(canvas, geometry) {
    const place = (event) => {
      const rect = canvas.getBoundingClientRect();
      this.pointer = {
        x: ((event.clientX - rect.left) * geometry.width) / rect.width,
        y: ((event.clientY - rect.top) * geometry.height) / rect.height,
        stamp: event.timeStamp,
      };
      this.keyed = null;
    };
    canvas.onpointermove = (event) => { place(event); this.schedule(); };
    canvas.onpointerleave = () => { this.pointer = null; this.schedule(); };
    canvas.onclick = (event) => {
      place(event);
      const cell = this.under(this.pointer);
      if (cell) this.pinAt(cell);
    };
    canvas.onkeydown = (event) => this.onKey(event);
    canvas.onblur = () => { this.keyed = null; this.schedule(); };
  }

  onKey(event) {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const { grid } = this.panels[0];
    if (step) {
      const from = this.keyed ?? this.panels[0].pin;
      this.keyed = {
        row: Math.min(grid.rows - 1, Math.max(0, from.row + step[0])),
        col: Math.min(grid.cols - 1, Math.max(0, from.col + step[1])),
      };
      this.pointer = null;
      this.keyStamp = event.timeStamp;
    } else if (event.key === "Enter") {
      this.pinAt(this.keyed ?? this.panels[0].pin);
    } else if (event.key === "Escape") {
      this.keyed = null;
    } else return;
    event.preventDefault();
    this.schedule(true);
  }

  pinAt(cell) {
    this.panels.forEach((panel) => { panel.pin = this.linked(panel, cell); });
    this.send("pick", cell);
    this.schedule(true);
  }

  choose(name) {
    this.focus = name;
    this.send("focus", name);
    this.schedule();
  }

  // The lead network's cell under a canvas pixel, null outside its view.
  under(point) {
    return point && cellUnder(this.panels[0].geometry, this.panels[0].grid, point.x, point.y);
  }

  // The cell of `panel` under the middle of a cell of the lead network.
  linked(panel, cell) {
    const lead = this.panels[0];
    if (panel === lead) return cell;
    const box = boxOf(lead.geometry, lead.grid, cell);
    return nearestCell(panel.geometry, panel.grid, box.left + box.width / 2, box.top + box.height / 2);
  }

  schedule(speak = false) {
    this.speak ||= speak;
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const started = performance.now();
    const moved = this.keyed ?? this.under(this.pointer);
    const cell = this.hold.checked ? null : moved;
    const words = this.panels.map((panel, k) => this.drawPanel(panel, this.views[k], cell, moved));
    const lead = moved ?? this.panels[0].pin;
    this.tell(lead, words.join("  ·  "));
    this.report(cell ?? this.panels[0].pin, started);
  }

  drawPanel(panel, view, cell, moved) {
    const at = cell ? this.linked(panel, cell) : panel.pin;
    const i = at.row * panel.grid.cols + at.col;
    const { values, label } = this.mapsAt(panel, view, i);
    const heat = normalised(values, this.look);
    view.surface.paint(heat, this.look, this.table);
    view.note.textContent = heat.constant ? "This map is constant: nothing to tell apart, so nothing is shown." : "";
    view.low.textContent = short(heat.low);
    view.high.textContent = short(heat.high);
    view.caption.textContent = `${label} · 0 to 1 = ${NORMALISATION[this.look.normalise]}`;
    this.outline(view.reference, panel, at);
    this.outline(view.pin, panel, panel.pin);
    const read = moved ? this.linked(panel, moved) : panel.pin;
    const box = boxOf(panel.geometry, panel.grid, read);
    const key = nearestCell(panel.geometry, panel.keyGrid, box.left + box.width / 2, box.top + box.height / 2);
    const position = key.row * panel.keyGrid.cols + key.col;
    return `${label.split(" · ")[0]} ≈ ${short(values[position])} (rank ${rankOf(values, position)} of ${values.length})`;
  }

  // The map shown large; on the way, the thumbnails.
  mapsAt(panel, view, i) {
    if (panel.kind === "nonlocal") return { values: nonlocalRow(panel, i), label: "NL row" };
    const channels = chosenChannels(panel, i);
    const names = view.thumbs.map((thumb) => thumb.name);
    const focus = names.includes(this.focus) ? this.focus : names[0];
    let large;
    for (const { name, button, surface, text } of view.thumbs) {
      const number = Number(name.split(" ")[1]), grouped = name.startsWith("group");
      const channel = channels[number - 1];
      const values = grouped ? groupMap(panel, number, i) : channelMap(panel, channel, i);
      const label = grouped ? `group ${number}` : `channel ${channel}`;
      surface.paint(normalised(values, this.look), this.look, this.table);
      text.textContent = grouped ? `g${number}` : `c${channel}`;
      button.setAttribute("aria-label", `Show ${label} large`);
      button.setAttribute("aria-pressed", String(name === focus));
      if (name === focus) large = { values, label: grouped ? label : `${label} · ${panel.how}` };
    }
    return large;
  }

  outline(box, panel, cell) {
    const { left, top, width, height } = boxOf(panel.geometry, panel.grid, cell), { picture } = this;
    box.style.left = `${(100 * left) / picture.width}%`;
    box.style.top = `${(100 * top) / picture.height}%`;
    box.style.width = `${(100 * width) / picture.width}%`;
    box.style.height = `${(100 * height) / picture.height}%`;
  }

  tell(cell, words) {
    const lead = this.panels[0], box = boxOf(lead.geometry, lead.grid, cell);
    const x = this.pointer ? this.pointer.x : box.left + box.width / 2;
    const y = this.pointer ? this.pointer.y : box.top + box.height / 2;
    const px = Math.floor((x * this.original.width) / this.picture.width);
    const py = Math.floor((y * this.original.height) / this.picture.height);
    const where = `row ${cell.row} column ${cell.col} (x ${px} y ${py})`;
    this.readout.textContent = `${where}  ·  ${words}`;
    if (this.speak) this.live.textContent = this.readout.textContent;
    this.speak = false;
  }

  // What tests and benchmarks read: the cell drawn, how long drawing took, and from event to drawn.
  report(cell, started) {
    const ended = performance.now();
    const stamp = this.pointer?.stamp ?? this.keyStamp ?? started;
    const detail = { cell: `${cell.row},${cell.col}`, draw: ended - started, latency: ended - stamp, draws: ++this.draws };
    Object.assign(this.root.dataset, { cell: detail.cell, drawMs: detail.draw.toFixed(2), draws: String(detail.draws) });
    this.root.dispatchEvent(new CustomEvent("picker-drawn", { detail, bubbles: true, composed: true }));
  }
}

const pickers = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".picker");
  if (!pickers.has(root)) pickers.set(root, new Picker(root));
  pickers.get(root).update(data, setTriggerValue);
}
