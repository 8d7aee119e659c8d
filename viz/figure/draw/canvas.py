"""What draws on a page: matplotlib axes whose unit is 1 mm, and the few marks a figure needs."""

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from viz.figure.draw.rasters import Bases
from viz.figure.page import fonts, typesetting
from viz.figure.page.plan import Plan, Words
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels.panel_rows import PanelRows
from viz.geometry import Box
from viz.rendering.marks import PARTS

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

    from viz.figure.draw.strokes import Strokes

_ON_DARK = (0, 2, 5, 7)
_DOT_MM, _LEAST_DOT_MM = 1.9, 1.0


def rectangle(box: Box, **how: object) -> "Rectangle":
    """Return matplotlib's rectangle of a box."""
    from matplotlib.patches import Rectangle

    return Rectangle((box.left, box.top), box.right - box.left, box.bottom - box.top, **how)


class Canvas(NamedTuple):
    """The axes in mm, and what the whole figure looks like. A gid names what was drawn.

    ``strokes`` take the marks where pages are drawn one after another; else they are artists of the
    axes.
    """

    axes: "Axes"
    panel_rows: PanelRows
    plan: Plan
    bases: Bases
    strokes: "Strokes | None" = None

    @property
    def pixel(self) -> float:
        """Side of a pixel of the pictures, in mm."""
        return MM_PER_INCH / self.axes.figure.dpi

    @property
    def grey(self) -> bool:
        """Whether the figure has no colours."""
        return self.panel_rows.layout.greyscale

    def _put(self, make: "Callable[[], Artist]", *what: Hashable) -> None:
        """Put what ``make`` adds to the axes on the page; ``what`` is all that it depends on."""
        if self.strokes is None:
            make()
        else:
            self.strokes.add(make, what)

    def image(self, pixels: np.ndarray, box: Box, gid: str, inside: Box | None = None) -> None:
        """Put pixels (H, W, 3 or 4) uint8 into a box as they are; ``inside`` cuts them off."""
        from matplotlib.image import AxesImage

        def make() -> AxesImage:
            extent = (box.left, box.right, box.bottom, box.top)
            image = AxesImage(
                self.axes, interpolation="none", origin="upper", extent=extent, gid=gid
            )
            image.set_data(pixels)
            self.axes.add_image(image)
            if inside is not None:
                image.set_clip_path(rectangle(inside, transform=self.axes.transData))
            return image

        self._put(make, object())

    def frame(self, box: Box, points: float = 0.4, **how: Hashable) -> None:
        """Draw the outline of a box."""
        style = {"edgecolor": "black", "joinstyle": "miter", **how}
        self._box(box, fill=False, linewidth=points, **style)

    def veil(self, box: Box, opacity: float) -> None:
        """Make what lies under a box paler: 1 is white."""
        self._box(box, facecolor="white", alpha=opacity, linewidth=0)

    def _box(self, box: Box, gid: str | None = None, **how: Hashable) -> None:
        def make() -> "Artist":
            return self.axes.add_artist(rectangle(box, gid=gid, **how))

        self._put(make, "box", box, *sorted(how.items()))

    def line(
        self, where: np.ndarray, points: float, colour: str, gid: str = "", ends: str = ""
    ) -> None:
        """Draw a line through (K, 2) points in mm, with ``ends`` as its marker."""
        from matplotlib.lines import Line2D

        def make() -> Line2D:
            line = Line2D(
                where[:, 0], where[:, 1], color=colour, linewidth=points, gid=gid,
                marker=ends, markersize=points + 2.4, markeredgewidth=0,
            )  # fmt: skip
            return self.axes.add_artist(line)

        self._put(make, "line", where.tobytes(), points, colour, ends)

    @property
    def font(self) -> str:
        """The layout's font."""
        return fonts.typeface(self.panel_rows.layout)

    def write(self, words: Words, gid: str, colour: str = "black") -> None:
        """Write a line of text: nothing in it is taken for a formula unless that was asked for."""

        def make() -> "Artist":
            return self.axes.text(
                words.x, words.y, words.text, color=colour, gid=gid,
                parse_math=words.math and typesetting.is_math(words.text),
                fontproperties=fonts.properties(self.font, words.text),
                fontsize=words.points,
                ha=words.align, va="baseline", rotation=90 if words.upward else 0,
                rotation_mode="anchor",
            )  # fmt: skip

        self._put(make, "words", words, colour)

    def arrows(
        self,
        start: tuple[float, float],
        ends: list[tuple[float, float]],
        points: float,
        colour: str,
    ) -> None:
        """Draw arrows of ``points`` line width, the first (strongest) end on top."""
        from matplotlib.patches import FancyArrowPatch
        from matplotlib.patheffects import withStroke

        outline = [withStroke(linewidth=2.2 * points, foreground="black", alpha=0.55)]
        for depth, end in enumerate(reversed(ends)):
            if end == start:
                continue

            def make(depth: int = depth, end: tuple[float, float] = end) -> FancyArrowPatch:
                arrow = FancyArrowPatch(
                    start, end, arrowstyle="-|>", mutation_scale=7 * points, linewidth=points,
                    shrinkA=0, shrinkB=0, color=colour, path_effects=outline, zorder=3 + depth,
                )  # fmt: skip
                return self.axes.add_patch(arrow)

            self._put(make, "arrow", start, end, points, colour, depth)

    def dot(self, x: float, y: float, number: int, room: float) -> None:
        """Draw a numbered dot of a ground-truth part, smaller where a panel has little ``room``."""
        from matplotlib.patches import Circle

        colour = "white" if self.grey else PARTS[number % len(PARTS)]
        dark = not self.grey and number % len(PARTS) in _ON_DARK
        size = min(_DOT_MM, max(_LEAST_DOT_MM, room / 14))

        def make() -> Circle:
            dot = Circle((x, y), size / 2, facecolor=colour, edgecolor="black", linewidth=0.4)
            dot.set_gid(f"part-{number}")
            return self.axes.add_artist(dot)

        self._put(make, "dot", x, y, size, colour)
        points = 0.62 * size / typesetting.MM_PER_POINT
        # Figures are 0.73 of the letter height.
        words = Words(x, y + 0.365 * points * typesetting.MM_PER_POINT, str(number + 1), points)
        self.write(words, f"part-number-{number}", "white" if dark else "black")
