// A picture on which parts are clicked: a numbered dot a part. Names are only ever text: they go in
// through textContent and attributes. Handlers are assigned, so that none pile up.

import { make } from "../dom.js";
// Pictures are scaled up to LEAST pixels, and down to a share of the window's height.
const LEAST = 480, TALLEST = 70;
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };
const HINT = "Click to add a part; click its dot to remove it. With the keyboard: arrow keys move a cross-hair " +
  "(with Shift by one pixel), Enter adds, Tab goes to the dots, Delete removes.";

const within = (value, size) => Math.min(Math.max(value, 0), size - 0.01);
// Clicks come in whole pixels of the page; what was pointed at is the middle of one.
const middle = (value) => (Number.isInteger(value) ? value + 0.5 : value);
const rounded = (value) => Math.round(value * 100) / 100;

class Points {
  constructor(root) {
    this.root = root;
    this.dots = [];
    this.stage = make("div", "stage", make("div", "room", root));
    this.image = make("img", "", this.stage);
    this.image.alt = "";
    this.target = make("div", "target", this.stage);
    this.target.tabIndex = 0;
    this.target.setAttribute("role", "application");
    this.target.setAttribute("aria-label", `Picture with ground-truth parts. ${HINT}`);
    this.cross = make("div", "cross", this.stage);
    this.cross.hidden = true;
    this.coming = make("div", "dot coming", this.stage);
    this.coming.hidden = true;
    this.readout = make("div", "readout", root);
    make("div", "hint", root, HINT);
    this.live = make("div", "unseen", root);
    this.live.setAttribute("aria-live", "polite");
    this.target.onclick = (event) => this.onClick(event);
    this.target.onpointermove = (event) => this.read(this.under(event));
    this.target.onpointerleave = () => this.read(null);
    this.target.onkeydown = (event) => this.onKey(event);
    this.target.onblur = () => { this.cross.hidden = true; };
  }

  update({ picture, width, height, parts }, send) {
    this.send = send;
    if (this.image.getAttribute("src") !== picture) {
      this.image.src = picture;
      this.at = null;
      this.cross.hidden = true;
    }
    Object.assign(this, { width, height });
    const natural = Math.max(width, Math.round((LEAST * width) / Math.max(width, height)));
    this.stage.style.width = `min(100%, ${(TALLEST * width) / height}vh, ${natural}px)`;
    this.image.style.aspectRatio = `${width} / ${height}`;
    this.coming.hidden = true;
    this.place(parts);
    this.read(null);
    this.root.dataset.parts = String(parts.length);
  }

  place(parts) {
    const active = this.root.getRootNode().activeElement, held = this.dots.indexOf(active);
    while (this.dots.length > parts.length) this.dots.pop().remove();
    while (this.dots.length < parts.length) {
      const dot = make("button", "dot", this.stage), number = this.dots.push(dot) - 1;
      dot.type = "button";
      dot.textContent = String(number + 1);
      dot.onclick = () => this.remove(number);
      dot.onkeydown = (event) => {
        if (event.key !== "Delete" && event.key !== "Backspace") return;
        event.preventDefault();
        this.remove(number);
      };
    }
    this.parts = parts;
    parts.forEach(({ name, x, y }, k) => {
      const dot = this.dots[k];
      dot.hidden = !(x >= 0 && y >= 0 && x <= this.width && y <= this.height);
      this.put(dot, { x, y });
      dot.title = `${name || "Part"} (x ${Math.floor(x)} y ${Math.floor(y)}): click to remove`;
      dot.setAttribute("aria-label", `Remove part ${k + 1}, ${name || "no name"}, x ${Math.floor(x)} y ${Math.floor(y)}`);
    });
    if (held >= 0 && held >= parts.length) (this.dots.at(-1) ?? this.target).focus();
  }

  put(mark, { x, y }) {
    mark.style.left = `${(100 * x) / this.width}%`;
    mark.style.top = `${(100 * y) / this.height}%`;
  }

  // The place in the original under the pointer.
  under({ clientX, clientY }) {
    const box = this.target.getBoundingClientRect();
    return {
      x: rounded(within(((middle(clientX) - box.left) * this.width) / box.width, this.width)),
      y: rounded(within(((middle(clientY) - box.top) * this.height) / box.height, this.height)),
    };
  }

  read(at) {
    const count = this.parts.length;
    this.readout.textContent = at ? `x ${Math.floor(at.x)} y ${Math.floor(at.y)}` : count === 1 ? "1 part" : `${count} parts`;
  }

  // The second click of a double click is none of its own.
  onClick(event) {
    if (event.detail > 1) return;
    this.at = this.under(event);
    this.cross.hidden = true;
    this.add(this.at);
  }

  add(at) {
    this.put(this.coming, at);
    this.coming.textContent = String(this.parts.length + 1);
    this.coming.hidden = false;
    this.live.textContent = `Added part ${this.parts.length + 1} at x ${Math.floor(at.x)} y ${Math.floor(at.y)}.`;
    this.send("add", at);
  }

  remove(number) {
    this.live.textContent = `Removed part ${number + 1}.`;
    this.send("remove", number);
  }

  onKey(event) {
    if (event.metaKey || event.ctrlKey || event.altKey) return;
    const from = this.at ?? { x: rounded(this.width / 2), y: rounded(this.height / 2) };
    if (ARROWS[event.key]) {
      const [across, down] = ARROWS[event.key];
      const step = event.shiftKey ? 1 : Math.max(1, Math.round(Math.max(this.width, this.height) / 100));
      this.at = this.cross.hidden ? from
        : { x: rounded(within(from.x + across * step, this.width)), y: rounded(within(from.y + down * step, this.height)) };
      this.put(this.cross, this.at);
      this.cross.hidden = false;
      this.live.textContent = `x ${Math.floor(this.at.x)} y ${Math.floor(this.at.y)}`;
      this.read(this.at);
    } else if (event.key === "Enter" && !this.cross.hidden) this.add(this.at);
    else if (event.key === "Escape") this.cross.hidden = true;
    else return;
    event.preventDefault();
  }
}

const shown = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".points");
  if (!shown.has(root)) shown.set(root, new Points(root));
  shown.get(root).update(data, setTriggerValue);
}
