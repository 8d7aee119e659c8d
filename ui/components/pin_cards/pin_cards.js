// The strip of pins: one card a pin, in the order of the figure. Names are only ever text: they go in
// through textContent. Handlers are assigned, so that none pile up.

import { make } from "../dom.js";
// Pixels that a pointer moves before a press becomes a drag.
const DRAG_FROM = 6;
const ALONG = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };
const ENDS = { Home: -Infinity, End: Infinity };
const HINT = "Drag a card to move it. Arrow keys go from card to card, with Alt or Ctrl they move the card; " +
  "Enter chooses it, Delete removes it.";

class Card {
  constructor(id, strip) {
    this.id = id;
    this.root = make("li", "card");
    this.root.dataset.id = id;
    this.face = make("button", "face", this.root);
    this.face.type = "button";
    this.picture = make("img", "", make("span", "shot", this.face));
    this.picture.alt = "";
    this.picture.draggable = false;
    this.title = make("span", "title", this.face);
    this.detail = make("span", "detail", this.face);
    this.grip = make("span", "grip", this.root);
    this.grip.setAttribute("aria-hidden", "true");
    this.cross = make("button", "remove", this.root, "\u00d7");
    this.cross.type = "button";
    this.face.onclick = () => strip.choose(this);
    this.face.onkeydown = (event) => strip.onKey(this, event);
    this.face.onfocus = () => strip.enter(this);
    this.cross.onclick = () => strip.remove(this);
    for (const part of [this.face, this.grip]) {
      part.onpointerdown = (event) => strip.press(this, event);
      part.onpointermove = (event) => strip.drag(event);
      part.onpointerup = (event) => strip.drop(event);
      part.onpointercancel = () => strip.release();
    }
    this.grip.onclick = () => strip.choose(this);
  }

  show({ title, detail, picture }) {
    if (this.picture.getAttribute("src") !== picture) this.picture.src = picture;
    this.title.textContent = title;
    this.detail.textContent = detail;
    this.face.title = `${title}\n${detail}`;
  }

  number(index, count) {
    this.grip.textContent = String(index + 1);
    const name = `Pin ${index + 1} of ${count}: ${this.title.textContent}`;
    this.face.setAttribute("aria-label", `${name}, ${this.detail.textContent}`);
    this.cross.setAttribute("aria-label", `Remove ${name}`);
    this.cross.title = "Remove this pin";
  }
}

class Strip {
  constructor(root) {
    this.root = root;
    this.order = [];
    this.cards = new Map();
    this.list = make("ol", "cards", root);
    this.list.setAttribute("aria-label", "Pins, in the order of the figure");
    this.landing = make("div", "landing");
    this.landing.hidden = true;
    make("div", "hint", root, HINT);
    this.live = make("div", "unseen", root);
    this.live.setAttribute("aria-live", "polite");
  }

  update({ cards, current }, send) {
    this.send = send;
    this.release();
    const known = new Set(cards.map((card) => card.id)), kept = this.focused();
    const place = kept ? this.order.indexOf(kept.id) : -1;
    for (const [id, card] of this.cards) {
      if (known.has(id)) continue;
      card.root.remove();
      this.cards.delete(id);
    }
    for (const card of cards) {
      if (!this.cards.has(card.id)) this.cards.set(card.id, new Card(card.id, this));
      this.cards.get(card.id).show(card);
    }
    this.current = current;
    this.arrange(cards.map((card) => card.id));
    if (kept && !this.cards.has(kept.id)) this.focus(place);
  }

  // Puts the cards into this order; what has the focus keeps it.
  arrange(order) {
    const active = this.root.getRootNode().activeElement;
    const held = this.focused() && active;
    this.order = order;
    order.forEach((id, k) => {
      const { root } = this.cards.get(id);
      if (this.list.children[k] !== root) this.list.insertBefore(root, this.list.children[k] ?? null);
    });
    this.list.append(this.landing);
    order.forEach((id, k) => this.cards.get(id).number(k, order.length));
    if (held && held.isConnected) held.focus();
    this.mark();
  }

  // One card is in the order of the Tab key, with its remove button.
  mark() {
    if (!this.cards.has(this.stop)) this.stop = this.cards.has(this.current) ? this.current : this.order[0];
    for (const [id, card] of this.cards) {
      card.face.tabIndex = card.cross.tabIndex = id === this.stop ? 0 : -1;
      card.face.setAttribute("aria-pressed", String(id === this.current));
    }
  }

  enter(card) {
    this.stop = card.id;
    this.mark();
  }

  focused() {
    const active = this.root.getRootNode().activeElement;
    return [...this.cards.values()].find((card) => card.root.contains(active));
  }

  focus(place) {
    const id = this.order[Math.min(this.order.length - 1, Math.max(0, place))];
    this.cards.get(id)?.face.focus();
  }

  onKey(card, event) {
    const place = this.order.indexOf(card.id), step = ALONG[event.key] ?? ENDS[event.key];
    if (event.key === "Delete" || event.key === "Backspace") this.remove(card);
    else if (event.key === "Escape" && this.held) this.release();
    else if (step === undefined || event.metaKey || event.shiftKey) return;
    else if (event.altKey || event.ctrlKey) this.move(card, place + step);
    else this.focus(place + step);
    event.preventDefault();
  }

  choose(card) {
    if (this.dragged) return;
    this.current = card.id;
    card.face.focus();
    this.mark();
    this.live.textContent = `Chosen: ${card.title.textContent}.`;
    this.send("choose", card.id);
  }

  remove(card) {
    const place = this.order.indexOf(card.id);
    card.root.remove();
    this.cards.delete(card.id);
    this.arrange(this.order.filter((id) => id !== card.id));
    this.focus(place);
    this.live.textContent = `Removed: ${card.title.textContent}. ${this.order.length} left.`;
    this.send("remove", card.id);
  }

  move(card, wanted) {
    const place = Math.min(this.order.length - 1, Math.max(0, wanted)), from = this.order.indexOf(card.id);
    if (place === from) return;
    const order = this.order.filter((id) => id !== card.id);
    order.splice(place, 0, card.id);
    this.arrange(order);
    this.live.textContent = `${card.title.textContent} is now ${place + 1} of ${order.length}.`;
    this.send("order", order);
  }

  press(card, event) {
    this.dragged = false;
    if (event.button || this.held) return;
    this.held = { card, x: event.clientX, y: event.clientY, part: event.currentTarget, pointer: event.pointerId };
  }

  drag(event) {
    const { held } = this;
    if (!held || event.pointerId !== held.pointer) return;
    const across = event.clientX - held.x, down = event.clientY - held.y;
    if (!this.dragged) {
      if (Math.hypot(across, down) < DRAG_FROM) return;
      this.dragged = true;
      held.part.setPointerCapture(held.pointer);
      held.card.root.classList.add("lifted");
    }
    held.card.root.style.transform = `translate(${across}px, ${down}px)`;
    held.gap = this.gapAt(event.clientX, event.clientY, held.card);
    this.showLanding(held.gap);
  }

  // The nearest of the other cards, and whether the pointer is on its far side.
  gapAt(x, y, lifted) {
    let best = null;
    this.order.forEach((id, place) => {
      const card = this.cards.get(id);
      if (card === lifted) return;
      const box = card.root.getBoundingClientRect();
      const away = Math.hypot(x - (box.left + box.right) / 2, 2 * (y - (box.top + box.bottom) / 2));
      if (!best || away < best.away) best = { away, place, id, after: x > (box.left + box.right) / 2 };
    });
    return best;
  }

  showLanding(gap) {
    this.landing.hidden = !gap;
    if (!gap) return;
    const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = this.cards.get(gap.id).root;
    const middle = parseFloat(getComputedStyle(this.list).columnGap) / 2 || 0;
    Object.assign(this.landing.style, {
      left: `${Math.max(0, (gap.after ? offsetLeft + offsetWidth + middle : offsetLeft - middle) - 2)}px`,
      top: `${offsetTop}px`, height: `${offsetHeight}px`,
    });
  }

  drop(event) {
    const { held } = this;
    if (!held || event.pointerId !== held.pointer) return;
    const { card, gap } = held, { dragged } = this;
    this.release();
    if (!dragged) return;
    // The click that ends the drag comes at once.
    this.dragged = true;
    setTimeout(() => { this.dragged = false; }, 0);
    if (!gap) return;
    const from = this.order.indexOf(card.id), to = gap.place + (gap.after ? 1 : 0);
    this.move(card, to > from ? to - 1 : to);
  }

  release() {
    if (!this.held) return;
    const { root } = this.held.card;
    root.classList.remove("lifted");
    root.style.transform = "";
    this.held = null;
    this.landing.hidden = true;
  }
}

const strips = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".pin-cards");
  if (!strips.has(root)) strips.set(root, new Strip(root));
  strips.get(root).update(data, setTriggerValue);
}
