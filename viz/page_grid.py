"""Rows of panels as cells of a page: folded or transposed, with the words around them."""

from dataclasses import dataclass

from viz.recipe import Layout
from viz.sheet import Panel, Sheet


@dataclass(frozen=True, eq=False)
class Grid:
    """The cells of the page: (line, place) -> (row, column) of the sheet, the words around, and
    what the ends of each line's colour bar stand for; None where it needs none."""

    cells: dict[tuple[int, int], tuple[int, int]]
    side: tuple[str, ...]
    heads: tuple[str, ...]
    under: dict[tuple[int, int], str]
    scales: tuple[tuple[float | None, float | None] | None, ...]

    @property
    def height(self) -> int:
        """Lines of panels."""
        return max(line for line, _ in self.cells) + 1

    @property
    def width(self) -> int:
        """Panels in the longest line."""
        return max(place for _, place in self.cells) + 1

    @staticmethod
    def of(sheet: Sheet) -> "Grid":
        """Return where the panels of a sheet stand, as its layout folds or transposes them."""
        layout, panels = sheet.layout, {(r, k): panel for r, k, panel in sheet.panels}
        longest = max(k for _, k in panels) + 1
        fold = layout.columns if 0 < layout.columns < longest and not layout.transpose else longest
        folds = -(-longest // fold)
        heads = _common_heads(panels, longest, layout, folds > 1)
        given = [*layout.column_labels, *[""] * longest]
        under = {
            at: _joined("" if heads[at[1]] else given[at[1]] or panel.head, panel.label, layout)
            for at, panel in panels.items()
        }
        named = [row.label if layout.labels else "" for row in sheet.rows]
        spans = [(row.low, row.high) if row.has_heat else None for row in sheet.rows]
        if layout.transpose:
            cells = {(k, r): (r, k) for r, k in panels}
            side, top, scales = heads, named, [None] * longest
        else:
            cells = {(r * folds + k // fold, k % fold): (r, k) for r, k in panels}
            side, top, scales = named, heads[:fold], spans
        side = _captioned(side, layout, "rows")
        if not layout.transpose:
            side = [text for name in side for text in (name, *[""] * (folds - 1))]
            scales = [span for span in spans for _ in range(folds)]
        return Grid(
            cells, tuple(side), tuple(_captioned(top, layout, "columns")), under, tuple(scales)
        )


def _captioned(names: list[str], layout: Layout, what: str) -> list[str]:
    """Return names with (a), (b), ... before them, if these are what captions count."""
    if layout.captions == "none" or layout.captions_of != what:
        return names
    return [f"{numbered(k, layout.captions)} {name}".strip() for k, name in enumerate(names)]


def _common_heads(
    panels: dict[tuple[int, int], Panel], count: int, layout: Layout, folded: bool
) -> list[str]:
    """Return the head of every column on which all rows agree; given labels go before."""
    found = []
    for column in range(count):
        heads = {panel.head for (_, k), panel in panels.items() if k == column}
        agreed = heads.pop() if len(heads) == 1 and not folded else ""
        given = [] if folded else layout.column_labels[column : column + 1]
        found.append("".join(given) or agreed if layout.labels else "")
    return found


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
