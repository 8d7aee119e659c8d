"""Rows of panels as cells of a page: folded or transposed, with the words around them."""

from dataclasses import dataclass
from typing import NamedTuple

from viz.figure.panels.sheet import Row, Sheet
from viz.figure.recipe.recipe import Layout

Span = tuple[float | None, float | None]
Heads = dict[int, tuple[str, ...]]
"""First line of a run of rows -> what stands over its columns."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of the page: (line, place) -> (row, column) of the sheet, the words around, and
    what the ends of each line's colour bar stand for; None where it needs none.

    ``heads`` stand over the lines that they are given for: rows of photos and rows of clips have
    columns of their own.
    """

    cells: dict[tuple[int, int], tuple[int, int]]
    side: tuple[str, ...]
    heads: Heads
    under: dict[tuple[int, int], str]
    scales: tuple[Span | None, ...]

    @property
    def height(self) -> int:
        """Lines of panels."""
        return max(line for line, _ in self.cells) + 1

    @property
    def width(self) -> int:
        """Panels in the longest line."""
        return max(place for _, place in self.cells) + 1


def grid_of(sheet: Sheet) -> Grid:
    """Return where the panels of a sheet stand, as its layout folds or transposes them."""
    fold = _fold_of(sheet)
    return _transposed(sheet, fold) if sheet.layout.transpose else _folded(sheet, fold)


class _Fold(NamedTuple):
    """How rows are broken: panels in a line, lines of a row, the longest row, and whether heads
    are ``lifted`` over the columns or stand under every panel."""

    panels: int
    lines: int
    longest: int
    lifted: bool


def _fold_of(sheet: Sheet) -> _Fold:
    layout, longest = sheet.layout, max(k for _, k, _ in sheet.panels) + 1
    broken = 0 < layout.columns < longest and not layout.transpose
    panels = layout.columns if broken else longest
    lines = -(-longest // panels)
    several = layout.transpose and len(_runs(sheet)) > 1
    return _Fold(panels, lines, longest, lines == 1 and not several)


def _folded(sheet: Sheet, fold: _Fold) -> Grid:
    """Return rows below each other, each in as many lines as it needs."""
    places = [(r, k) for r, k, _ in sheet.panels]
    cells = {(r * fold.lines + k // fold.panels, k % fold.panels): (r, k) for r, k in places}
    side = [text for name in _row_names(sheet) for text in (name, *[""] * (fold.lines - 1))]
    spans = [_row_span(sheet, row) for row in sheet.rows]
    scales = tuple(span for span in spans for _ in range(fold.lines))
    heads = {
        row * fold.lines: tuple(run[: fold.panels]) for row, run in _heads(sheet, fold).items()
    }
    return Grid(cells, tuple(side), heads, _under(sheet, fold), scales)


def _transposed(sheet: Sheet, fold: _Fold) -> Grid:
    """Return rows as columns: their labels above, the heads of columns at the side."""
    cells = {(k, r): (r, k) for r, k, _ in sheet.panels}
    side = [*_heads(sheet, fold)[0], *[""] * fold.longest][: fold.longest]
    heads = {0: tuple(_row_names(sheet))}
    return Grid(cells, tuple(side), heads, _under(sheet, fold), (None,) * fold.longest)


def _row_span(sheet: Sheet, row: Row) -> Span | None:
    """Return what the ends of a row's own colour bar stand for; None where it has no bar."""
    own = sheet.layout.bar == "row" or (sheet.layout.bar == "map" and row.one_map)
    return (row.low, row.high) if own and row.has_heat else None


def _row_names(sheet: Sheet) -> list[str]:
    layout = sheet.layout
    names = [row.label if layout.labels else "" for row in sheet.rows]
    return _captioned(names, layout, "columns" if layout.transpose else "rows")


def _given_heads(sheet: Sheet, fold: _Fold) -> list[str]:
    """Return the user's labels of columns, "" where there is none."""
    layout = sheet.layout
    return [*(layout.column_labels if layout.labels else ()), *[""] * fold.longest]


def _under(sheet: Sheet, fold: _Fold) -> dict[tuple[int, int], str]:
    """Return the words under every panel."""
    given = _given_heads(sheet, fold)
    return {
        (r, k): _joined("" if fold.lifted else given[k] or panel.head, panel.label, sheet.layout)
        for r, k, panel in sheet.panels
    }


def _heads(sheet: Sheet, fold: _Fold) -> Heads:
    """Return what stands over the columns of each run of rows, by its first row."""
    layout, given = sheet.layout, _given_heads(sheet, fold)
    counted = "rows" if layout.transpose else "columns"
    shown = layout.labels and fold.lifted
    found = {}
    for row, run in _runs(sheet).items():
        texts = [given[k] or (text if shown else "") for k, text in enumerate(run)]
        found[row] = tuple(_captioned(texts, layout, counted))
    return found


def _runs(sheet: Sheet) -> dict[int, list[str]]:
    """Return the heads of each run of rows that agree on them, by its first row."""
    runs: dict[int, dict[int, str]] = {0: {}}
    for number, row in enumerate(sheet.rows):
        own = {k: panel.head for k, panel in enumerate(row.panels) if panel is not None}
        last = runs[max(runs)]
        if any(last.get(k, head) != head for k, head in own.items()):
            runs[number] = own
        else:
            last.update(own)
    return {
        row: [heads.get(k, "") for k in range(max(heads, default=-1) + 1)]
        for row, heads in runs.items()
    }


def _captioned(names: list[str], layout: Layout, what: str) -> list[str]:
    """Return names with (a), (b), ... before them, if these are what captions count."""
    if layout.captions == "none" or layout.captions_of != what:
        return names
    return [f"{numbered(k, layout.captions)} {name}".strip() for k, name in enumerate(names)]


def _joined(head: str, label: str, layout: Layout) -> str:
    return ", ".join(text for text in (head, label) if text) if layout.labels else ""


def numbered(index: int, style: str) -> str:
    """Return caption ``index`` (from 0) in a style like (a), A or (1): a, b, ... z, aa, ab."""
    kind = style.strip("()")
    if kind == "1":
        name = str(index + 1)
    else:
        name, rest = "", index + 1
        while rest:
            rest, letter = divmod(rest - 1, 26)
            name = chr(ord(kind) + letter) + name
    return f"({name})" if style.startswith("(") else name
