"""Where everything of a figure stands on the page, in mm from its upper left corner."""

from collections.abc import Sequence
from itertools import groupby
from math import floor

from errors import InputError
from viz.figure.page import typesetting
from viz.figure.page.colour_bars import (
    BAR_MM,
    cut_text,
    ends,
    legend,
    panel_bars,
    row_bar,
    shared_bar,
)
from viz.figure.page.grid import Grid, grid_of, numbered
from viz.figure.page.plan import SMALL, Page, Place, Plan, Words
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels.panel_rows import Bars, Panel, PanelRows
from viz.geometry import Box

SMALLEST_MM = 3.0
TALLEST_MM = 2000.0
MOST_PIXELS = 80_000_000
_WIDE = 2.2
"""Width of a panel of bars, of a picture's."""


def plan(panel_rows: PanelRows) -> Plan:
    """Place everything; InputError where the panels would be too small or the page too large."""
    page, grid = Page(panel_rows), grid_of(panel_rows)
    left, right = _margins(page, grid)
    widths = _widths(page, grid, left, right)
    for line in range(grid.height):
        _header(page, grid.heads.get(line, ()), left, widths)
        _line(page, grid, line, left, widths)
    shared_bar(page, left, right)
    legend(page, left, right)
    _check(page)
    size = page.layout.width_mm, page.upward(page.y)
    return Plan(*size, tuple(page.places), tuple(page.words), tuple(page.bars), tuple(page.dots))


def _margins(page: Page, grid: Grid) -> tuple[float, float]:
    """Return the room left for row labels and right for the rows' colour bars."""
    right = _bar_room(page, grid)
    left, lines = 0.0, 0
    # Labels run upward. Room for them makes panels lower, so that one may need another line.
    while (needed := _label_lines(page, grid, _widths(page, grid, left, right))) > lines:
        left, lines = page.upward(page.line * needed + page.pad), needed
    return left, right


def _bar_room(page: Page, grid: Grid) -> float:
    cut = page.panel_rows.look.threshold
    spans = [span for span in grid.scales if span]
    texts = [text for span in spans for text in (*ends(*span), cut_text(*span, cut))]
    if not texts:
        return 0.0
    small = SMALL * page.layout.font_pt
    widest = max(typesetting.width_mm(text, page.font, small) for text in texts)
    return BAR_MM + 3 * page.pad + widest


def _label_lines(page: Page, grid: Grid, widths: list[float]) -> int:
    lines = {line for line, _ in grid.cells}
    return max(
        len(_side_lines(page, text, _height(page, grid, line, widths))) if line in lines else 0
        for line, text in enumerate(grid.side)
    )


def _height(page: Page, grid: Grid, line: int, widths: list[float]) -> float:
    """Return the height of a line of panels, in whole pixels."""
    places = {k: at for (own, k), at in grid.cells.items() if own == line}
    found = [(k, page.panel_rows.rows[r].panels[c]) for k, (r, c) in places.items()]
    tall = [widths[k] * one.content.aspect for k, one in found if not isinstance(one.content, Bars)]
    height = max(tall) if tall else max(widths[k] for k, _ in found) / _WIDE
    return max(1, round(height / page.pixel)) * page.pixel


def _widths(page: Page, grid: Grid, left: float, right: float) -> list[float]:
    """Return the width of every column in whole pixels, pictures all alike."""
    weights = [1.0] * grid.width
    for (_, place), (row, column) in grid.cells.items():
        if isinstance(page.panel_rows.rows[row].panels[column].content, Bars):
            weights[place] = _WIDE
    room = page.layout.width_mm - left - right - (grid.width - 1) * page.gap
    pixels = [room * weight / sum(weights) / page.pixel for weight in weights]
    widths = [floor(wide + 1e-6) * page.pixel for wide in pixels]
    if min(widths) < SMALLEST_MM:
        raise InputError(
            f"{grid.width} panels side by side on {page.layout.width_mm:g} mm leave "
            f"{max(0.0, min(widths)):.1f} mm for each; at least {SMALLEST_MM:g} are needed. Take "
            "fewer, break the rows (columns), shorter labels, a smaller gap, or a wider figure."
        )
    return widths


def _lefts(page: Page, left: float, widths: list[float]) -> list[float]:
    return [left + sum(widths[:k]) + k * page.gap for k in range(len(widths))]


def _header(page: Page, heads: Sequence[str], left: float, widths: list[float]) -> None:
    """Write the columns' heads; neighbours with the same one share it."""
    lefts, texts = _lefts(page, left, widths), heads[: len(widths)]
    written = []
    for text, run in groupby(range(len(texts)), key=lambda k: texts[k]):
        first, *_ = columns = list(run)
        end = lefts[columns[-1]] + widths[columns[-1]]
        room = end - lefts[first]
        written.append((page.lines(text, room), (lefts[first] + end) / 2))
    tallest = max((len(lines) for lines, _ in written), default=0)
    page.y += page.pad if tallest and page.places else 0
    for lines, middle in written:
        page.write(lines, middle, page.y + (tallest - len(lines)) * page.line)
    page.y += tallest * page.line + (page.pad if tallest else 0)


def _line(page: Page, grid: Grid, line: int, left: float, widths: list[float]) -> None:
    """Place one line of panels with the words under them, its label and its bar."""
    cells = {
        place: grid.cells[line, place] for place in range(grid.width) if (line, place) in grid.cells
    }
    if not cells:
        return
    panels = {place: page.panel_rows.rows[r].panels[k] for place, (r, k) in cells.items()}
    height, lefts, lowest = _height(page, grid, line, widths), _lefts(page, left, widths), 0
    top = page.upward(page.y + (page.gap if line else 0))
    for place, panel in panels.items():
        own = height if isinstance(panel.content, Bars) else widths[place] * panel.content.aspect
        box = _snapped(page, lefts[place], top, widths[place], own)
        page.places.append(Place(*cells[place], panel, box))
        text = _under(page, grid, cells[place], panel)
        lines = page.lines(text, widths[place])
        page.write(lines, (box.left + box.right) / 2, box.bottom + 0.6 * page.pad)
        lowest = max(lowest, len(lines))
    _side_label(page, grid.side[line], top, height)
    if grid.scales[line]:
        row_bar(page, grid, line, Box(lefts[-1] + widths[-1], top, 0, top + height))
    page.y = top + height + (lowest * page.line + 2 * page.pad if lowest else 0)
    panel_bars(page, page.places[-len(panels) :])


def _under(page: Page, grid: Grid, at: tuple[int, int], panel: Panel) -> str:
    layout, texts = page.layout, [grid.under[at]]
    if layout.captions != "none" and layout.captions_of == "panels":
        texts.insert(0, numbered(len(page.places) - 1, layout.captions))
    if panel.note:
        texts.append(f"({panel.note})")
    return " ".join(text for text in texts if text)


def _snapped(page: Page, left: float, top: float, width: float, height: float) -> Box:
    """Return a box on whole pixels of the figure's resolution."""
    pixel = page.pixel
    x, y = round(left / pixel), round(top / pixel)
    wide, high = max(1, round(width / pixel)), max(1, round(height / pixel))
    return Box(x * pixel, y * pixel, (x + wide) * pixel, (y + high) * pixel)


def _side_label(page: Page, text: str, top: float, height: float) -> None:
    """Write a row's label upward, in lines about as long as the row is high."""
    points = page.layout.font_pt
    for k, words in enumerate(_side_lines(page, text, height)):
        x = k * page.line + typesetting.baseline_mm(points)
        page.words.append(
            Words(x, top + height / 2, words, points, upward=True, math=page.layout.mathtext)
        )


def _side_lines(page: Page, text: str, height: float) -> list[str]:
    """Break a row's label; a word may stand out of a low row by half its height."""
    math, size = page.layout.mathtext, page.layout.font_pt
    text = typesetting.plain(text, page.font, math)
    parts = typesetting.words_of(text, math)
    words = [typesetting.width_mm(word, page.font, size, math) for word in parts]
    longest = min(max(words, default=0.0), 1.5 * height)
    return page.lines(text, max(height, longest, 2 * page.line)) if text else []


def _check(page: Page) -> None:
    layout = page.layout
    if page.y > TALLEST_MM:
        raise InputError(
            f"The figure would be {page.y:.0f} mm high; up to {TALLEST_MM:.0f} are drawn. Take "
            "fewer rows, or a narrower figure."
        )
    pixels = page.y * layout.width_mm * (layout.dpi / MM_PER_INCH) ** 2
    if pixels > MOST_PIXELS:
        raise InputError(
            f"The figure would have {pixels / 1e6:.0f} million pixels; up to "
            f"{MOST_PIXELS / 1e6:.0f} are drawn. Take a lower dpi or a narrower figure."
        )
