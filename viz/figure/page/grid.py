"""Rows of panels as cells of a page: folded or transposed, with the words around them."""

from dataclasses import dataclass

from viz.figure.panels.sheet import Sheet
from viz.figure.recipe.recipe import Layout

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
        runs = _runs(sheet)
        lifted = folds == 1 and not (layout.transpose and len(runs) > 1)
        given = [*(layout.column_labels if layout.labels else ()), *[""] * longest]
        under = {
            (r, k): _joined("" if lifted else given[k] or panel.head, panel.label, layout)
            for (r, k), panel in panels.items()
        }
        named = _captioned(
            [row.label if layout.labels else "" for row in sheet.rows], layout,
            "columns" if layout.transpose else "rows",
        )  # fmt: skip
        counted = "rows" if layout.transpose else "columns"
        shown = runs if layout.labels and lifted else {row: [""] * len(runs[row]) for row in runs}
        heads = {
            row: _captioned([given[k] or text for k, text in enumerate(run)], layout, counted)
            for row, run in shown.items()
        }
        if layout.transpose:
            cells = {(k, r): (r, k) for r, k in panels}
            side = [*heads[0], *[""] * longest][:longest]
            return Grid(cells, tuple(side), {0: tuple(named)}, under, (None,) * longest)
        cells = {(r * folds + k // fold, k % fold): (r, k) for r, k in panels}
        side = [text for name in named for text in (name, *[""] * (folds - 1))]
        spans = [(row.low, row.high) if row.has_heat else None for row in sheet.rows]
        scales = [span for span in spans for _ in range(folds)]
        over = {row * folds: tuple(run[:fold]) for row, run in heads.items()}
        return Grid(cells, tuple(side), over, under, tuple(scales))


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
