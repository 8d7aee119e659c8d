// Arrows from the reference to the highest values (Wang et al. 2018, figure of behaviours).

export const MOST_ARROWS = 20, HEAD_PX = 5;
export const SVG = "http://www.w3.org/2000/svg";

export class Arrows {
  constructor(parent) {
    this.root = document.createElementNS(SVG, "svg");
    this.root.setAttribute("class", "arrows");
    this.root.setAttribute("aria-hidden", "true");
    parent.append(this.root);
    // Weakest first, so that the strongest lies on top; each with a dark line under it.
    this.pairs = Array.from({ length: MOST_ARROWS }, () => ["under", "over"].map((name) => {
      const path = document.createElementNS(SVG, "path");
      path.setAttribute("class", name);
      this.root.append(path);
      return path;
    })).reverse();
  }

  // ends: {x, y, share in [0, 1] of the highest}, highest first; none hides them all.
  draw(start, ends = []) {
    if (this.count === 0 && !ends.length) return;
    this.count = ends.length;
    this.pairs.forEach((pair, k) => {
      const end = ends[k];
      for (const path of pair) {
        path.style.display = end ? "" : "none";
        if (!end) continue;
        path.setAttribute("d", Arrows.shape(start, end));
        const line = 0.6 + end.share;
        path.style.strokeWidth = path.classList.contains("under") ? line + 1.4 : line;
        path.style.opacity = 0.4 + 0.6 * end.share;
      }
    });
  }

  // A shaft and two barbs; where the arrow would end at its own start, a ring.
  static shape(start, { x, y }) {
    const long = Math.hypot(x - start.x, y - start.y), r = HEAD_PX / 2;
    if (long < 1) return `M ${x} ${y} m ${-r} 0 a ${r} ${r} 0 1 0 ${2 * r} 0 a ${r} ${r} 0 1 0 ${-2 * r} 0`;
    const head = Math.min(HEAD_PX, long / 2), turn = Math.atan2(y - start.y, x - start.x);
    const barb = (by) => `${(x - head * Math.cos(turn + by)).toFixed(1)} ${(y - head * Math.sin(turn + by)).toFixed(1)}`;
    const [x1, y1, x2, y2] = [start.x, start.y, x, y].map((v) => v.toFixed(1));
    return `M ${x1} ${y1} L ${x2} ${y2} M ${barb(0.5)} L ${x2} ${y2} L ${barb(-0.5)}`;
  }
}
