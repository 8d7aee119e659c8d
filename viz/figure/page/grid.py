"""Rows of panels as cells of a page: folded or transposed, with the words around them."""

from dataclasses import dataclass
from typing import NamedTuple

from viz.figure.panels.panel_rows import PanelRows, Row
from viz.figure.recipe.recipe import Layout

Span = tuple[float | None, float | None]
Heads = dict[int, tuple[str, ...]]
"""First line of a run of rows -> what stands over its columns."""


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of the page: (line, place) -> (row, column) of the figure, the words around, and
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


def grid_of(panel_rows: PanelRows) -> Grid:
    """Return where the panels of a figure stand, as its layout folds or transposes them."""
    fold = _fold_of(panel_rows)
    return (
        _transposed(panel_rows, fold) if panel_rows.layout.transpose else _folded(panel_rows, fold)
    )


class _Fold(NamedTuple):
    """How rows are broken: panels in a line, lines of a row, the longest row, and whether heads
    are ``lifted`` over the columns or stand under every panel."""

    panels: int
    lines: int
    longest: int
    lifted: bool


def _fold_of(panel_rows: PanelRows) -> _Fold:
    layout, longest = panel_rows.layout, max(k for _, k, _ in panel_rows.panels) + 1
    broken = 0 < layout.columns < longest and not layout.transpose
    panels = layout.columns if broken else longest
    lines = -(-longest // panels)
    several = layout.transpose and len(_runs(panel_rows)) > 1
    return _Fold(panels, lines, longest, lines == 1 and not several)


def _folded(panel_rows: PanelRows, fold: _Fold) -> Grid:
    """Return rows below each other, each in as many lines as it needs."""
    places = [(r, k) for r, k, _ in panel_rows.panels]
    cells = {(r * fold.lines + k // fold.panels, k % fold.panels): (r, k) for r, k in places}
    side = [text for name in _row_names(panel_rows) for text in (name, *[""] * (fold.lines - 1))]
    spans = [_row_span(panel_rows, row) for row in panel_rows.rows]
    scales = tuple(span for span in spans for _ in range(fold.lines))
    heads = {
        row * fold.lines: tuple(run[: fold.panels]) for row, run in _heads(panel_rows, fold).items()
    }
    return Grid(cells, tuple(side), heads, _under(panel_rows, fold), scales)


def _transposed(panel_rows: PanelRows, fold: _Fold) -> Grid:
    """Return rows as columns: their labels above, the heads of columns at the side."""
    cells = {(k, r): (r, k) for r, k, _ in panel_rows.panels}
    side = [*_heads(panel_rows, fold)[0], *[""] * fold.longest][: fold.longest]
    heads = {0: tuple(_row_names(panel_rows))}
    return Grid(cells, tuple(side), heads, _under(panel_rows, fold), (None,) * fold.longest)


def _row_span(panel_rows: PanelRows, row: Row) -> Span | None:
    """Return what the ends of a row's own colour bar stand for; None where it has no bar."""
    own = panel_rows.layout.bar == "row" or (panel_rows.layout.bar == "map" and row.one_map)
    return (row.low, row.high) if own and row.has_heat else None


def _row_names(panel_rows: PanelRows) -> list[str]:
    layout = panel_rows.layout
    names = [row.label if layout.labels else "" for row in panel_rows.rows]
    return _captioned(names, layout, "columns" if layout.transpose else "rows")


def _given_heads(panel_rows: PanelRows, fold: _Fold) -> list[str]:
    """Return the user's labels of columns, "" where there is none."""
    layout = panel_rows.layout
    return [*(layout.column_labels if layout.labels else ()), *[""] * fold.longest]


def _under(panel_rows: PanelRows, fold: _Fold) -> dict[tuple[int, int], str]:
    """Return the words under every panel."""
    given = _given_heads(panel_rows, fold)
    return {
        (r, k): _joined(
            "" if fold.lifted else given[k] or panel.head, panel.label, panel_rows.layout
        )
        for r, k, panel in panel_rows.panels
    }


def _heads(panel_rows: PanelRows, fold: _Fold) -> Heads:
    """Return what stands over the columns of each run of rows, by its first row."""
    layout, given = panel_rows.layout, _given_heads(panel_rows, fold)
    counted = "rows" if layout.transpose else "columns"
    shown = layout.labels and fold.lifted
    found = {}
    for row, run in _runs(panel_rows).items():
        texts = [given[k] or (text if shown else "") for k, text in enumerate(run)]
        found[row] = tuple(_captioned(texts, layout, counted))
    return found


def _runs(panel_rows: PanelRows) -> dict[int, list[str]]:
    """Return the heads of each run of rows that agree on them, by its first row."""
    runs: dict[int, dict[int, str]] = {0: {}}
    for number, row in enumerate(panel_rows.rows):
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
