"""A page of a figure as values: panels, words and colour bars in mm from its upper left corner."""

from dataclasses import dataclass, field
from math import ceil

from viz.figure.page import fonts, typesetting
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels.panel_rows import Panel, PanelRows
from viz.figure.recipe.recipe import Layout
from viz.geometry import Box

SMALL = 0.85
"""Size of the numbers of a colour bar and of notes, of the font's."""


PAGE_MM = 247.0
"""Height of a journal's page of figures (Nature: 183 x 247 mm)."""


def too_tall(height: float) -> str:
    """Return what is to be said of a figure that is higher in mm than a page; "" of others."""
    if height <= PAGE_MM:
        return ""
    return (
        f"It is taller than a journal's page ({PAGE_MM:.0f} mm): take a narrower width, fewer "
        "rows, or exchange rows and columns."
    )


@dataclass(frozen=True, eq=False)
class Place:
    """Where the panel of (row, column) of the figure stands."""

    row: int
    column: int
    panel: Panel
    box: Box


@dataclass(frozen=True)
class Words:
    """A line of text whose letters stand on y, or run upward along x; ``align`` is left, center or
    right of the other coordinate; ``math``: formulas between dollar signs are drawn."""

    x: float
    y: float
    text: str
    points: float
    align: str = "center"
    upward: bool = False
    math: bool = False


@dataclass(frozen=True)
class Bar:
    """A colour bar: across, or up along a row; what its ends stand for."""

    box: Box
    upward: bool
    low: float | None
    high: float | None
    note: str = ""


@dataclass(frozen=True, eq=False)
class Plan:
    """The page: its size in mm, panels, words, bars, and the numbered dots of the legend."""

    width: float
    height: float
    places: tuple[Place, ...]
    words: tuple[Words, ...]
    bars: tuple[Bar, ...]
    dots: tuple[tuple[float, float, int], ...] = ()

    def place(self, row: int, column: int) -> Place:
        """Return where a panel of the figure stands."""
        return next(p for p in self.places if (p.row, p.column) == (row, column))


@dataclass
class Page:
    """A plan in the making."""

    panel_rows: PanelRows
    places: list[Place] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    dots: list[tuple[float, float, int]] = field(default_factory=list)
    y: float = 0.0

    @property
    def layout(self) -> Layout:
        """The panel_rows's layout."""
        return self.panel_rows.layout

    @property
    def font(self) -> str:
        """The layout's font."""
        return fonts.typeface(self.layout)

    @property
    def pixel(self) -> float:
        """Side of a pixel of the figure."""
        return MM_PER_INCH / self.layout.dpi

    @property
    def gap(self) -> float:
        """Room between panels, whole pixels."""
        return round(self.layout.gap_mm / self.pixel) * self.pixel

    def upward(self, length: float) -> float:
        """Return a length rounded up to whole pixels."""
        return ceil(length / self.pixel - 1e-6) * self.pixel

    @property
    def line(self) -> float:
        """Height of a line of text."""
        return typesetting.line_mm(self.layout.font_pt)

    @property
    def pad(self) -> float:
        """Room around words."""
        return 0.25 * self.line

    def lines(self, text: str, room: float) -> list[str]:
        """Return a label as lines of at most ``room`` mm; InputError for letters without a font."""
        math = self.layout.mathtext
        found = typesetting.plain(text, self.font, math)
        return typesetting.broken(found, room, self.font, self.layout.font_pt, math)

    def write(self, lines: list[str], x: float, y: float) -> None:
        """Write centred lines below (x, y)."""
        for k, text in enumerate(lines):
            here, points = y + k * self.line, self.layout.font_pt
            self.words.append(self._label(x, here + typesetting.baseline_mm(points), text))

    def _label(self, x: float, y: float, text: str) -> Words:
        """Return a line of a label, centred, whose letters stand on y."""
        return Words(x, y, text, self.layout.font_pt, math=self.layout.mathtext)

    def small(self, text: str, x: float, y: float, points: float, align: str = "left") -> None:
        """Write one line of another size whose top is at y."""
        self.words.append(Words(x, y + typesetting.baseline_mm(points), text, points, align))
