// The picker itself: data in, pointer and keyboard, what is drawn when, what is told to Python.

const REST_MS = 12;

class Picker {
  constructor(root) {
    this.root = root;
    this.turn = 0;
    this.factors = new Map();
    this.pointer = this.keyed = null;
    this.frame = this.draws = this.drawnAt = 0;
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
    this.painted = null;
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
      whole.positions = panel.keyGrid.frames * panel.keyGrid.rows * panel.keyGrid.cols;
      for (const name of ["mean", "spread", "contrast"]) whole[name] = floats(buffer, base, panel[name]);
      if (panel.response) whole.response = halves(buffer, base, panel.response);
    }
    const pin = { row: panel.cell.y, col: panel.cell.x };
    return { ...panel, factors: whole, pin, compare: panel.kernel && comparer(panel.kernel) };
  }

  build() {
    const layout = JSON.stringify([this.hash, this.panels.map((p) => [p.kind, p.span, p.keyGrid, mapNames(p)])]);
    if (layout !== this.layout) {
      this.layout = layout;
      this.root.replaceChildren();
      const stages = make("div", "stages", this.root);
      this.views = this.panels.map((panel) => new View(panel, stages, this.picture, this.bitmap));
      this.views.forEach((view, k) => this.listen(view.surface.canvas, this.panels[k].geometry));
      this.buildBar();
      this.panels.forEach((panel, k) => this.views[k].addThumbs(panel, this.root, (name) => this.choose(name)));
      this.live = make("div", "unseen", this.root);
      this.live.setAttribute("aria-live", "polite");
    }
    this.panels.forEach((panel, k) => this.views[k].label(panel, this.look, this.table));
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
    // Where the browser has it, it comes at once; pointermove waits for the next frame.
    canvas.onpointerrawupdate = canvas.onpointermove;
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
    this.painted = null;
    this.schedule(true);
  }

  choose(name) {
    this.focus = name;
    this.painted = null;
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

  // Draw now, or with the next frame when the last drawing was a moment ago.
  schedule(speak = false) {
    this.speak ||= speak;
    if (this.frame) return;
    if (performance.now() - this.drawnAt > REST_MS) this.draw();
    else this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const started = performance.now();
    const moved = this.keyed ?? this.under(this.pointer);
    const cell = (this.hold.checked ? null : moved) ?? this.panels[0].pin;
    const name = `${cell.row},${cell.col}`, fresh = this.painted !== name;
    if (fresh) this.panels.forEach((panel, k) => this.paint(panel, this.views[k], this.linked(panel, cell)));
    this.painted = name;
    const read = moved ?? this.panels[0].pin;
    this.tell(read, this.panels.map((panel, k) => this.reading(panel, this.views[k], this.linked(panel, read))).join("  ·  "));
    this.report(name, started, fresh);
    this.drawnAt = performance.now();
    if (!fresh) return;
    clearTimeout(this.later);
    this.later = setTimeout(() => this.drawThumbs(), 0);
  }

  // The small maps come right after the large ones, so that these are never late.
  drawThumbs() {
    this.panels.forEach((panel, k) => this.views[k].paintThumbs(panel, this.look, this.table));
    this.root.dataset.small = String(this.draws);
  }

  paint(panel, view, at) {
    const { values, label, short: name } = this.mapsAt(panel, view, at.row * panel.grid.cols + at.col);
    const heat = normalised(values, this.look);
    view.surface.paint(heat, this.look, this.table);
    view.large = { values, name };
    view.note.textContent = heat.constant ? "This map is constant: nothing to tell apart, so nothing is shown." : "";
    view.low.textContent = short(heat.low);
    view.high.textContent = short(heat.high);
    view.caption.textContent = `${label} · 0 to 1 = ${NORMALISATION[this.look.normalise]}`;
    view.outline(view.reference, panel, at);
    view.outline(view.pin, panel, panel.pin);
  }

  // Value and rank of one cell in the map shown large.
  reading(panel, view, cell) {
    const box = boxOf(panel.geometry, panel.grid, cell), { values, name } = view.large;
    const key = nearestCell(panel.geometry, panel.keyGrid, box.left + box.width / 2, box.top + box.height / 2);
    const position = key.row * panel.keyGrid.cols + key.col;
    return `${name} ≈ ${short(values[position])} (rank ${rankOf(values, position)} of ${values.length})`;
  }

  // The map shown large. What the small ones need is kept for paintThumbs, which comes after it.
  mapsAt(panel, view, i) {
    if (panel.kind === "nonlocal") return { values: nonlocalRow(panel, i), label: "NL row", short: "NL row" };
    const channels = chosenChannels(panel, i), names = view.thumbs.map((thumb) => thumb.name);
    const focus = names.includes(this.focus) ? this.focus : names[0];
    view.small = { i, channels, focus };
    const { values, label } = namedMap(panel, focus, channels, i);
    return { values, short: label, label: focus.startsWith("group") ? label : `${label} · ${panel.how}` };
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
  report(cell, started, painted) {
    const ended = performance.now();
    const stamp = this.pointer?.stamp ?? this.keyStamp ?? started;
    const detail = { cell, painted, draw: ended - started, latency: ended - stamp, draws: ++this.draws };
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
