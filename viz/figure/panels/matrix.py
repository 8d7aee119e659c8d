"""The N x N matrix of an NL block, or of cosines, as a panel: block means where it is large."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from errors import InputError
from viz.attention.captures import BlockCapture
from viz.attention.kinds.registry import kind_of
from viz.figure.panels.panel_rows import Matrix, Panel, Row
from viz.figure.recipe.recipe import Recipe, Reference
from viz.figure.resolve import Scene, Shot, Sources, scene

MOST_ENTRIES = 784
"""Entries of a side above which means of blocks are shown; 784 is 28 x 28 cells."""
_CHUNK = 2**22
"""Affinities that are made at a time; the whole matrix never is."""


def rows(recipe: Recipe, sources: Sources, _frames: object) -> list[Row]:
    """Return a row a reference: the matrix of every NL block among its views."""
    found = [scene(_placed(reference, sources), sources) for reference in recipe.references]
    made = [_row(one, recipe) for one in found]
    if not any(row.panels for row in made):
        raise InputError(
            "The preset matrix shows NL blocks, and none of the networks has one: the attention of "
            "a CGNL block is (CHW) x (CHW). Choose an NL network, or the preset groups."
        )
    return [row for row in made if row.panels]


def _placed(reference: Reference, sources: Sources) -> Reference:
    """Return the reference with a patch, which the matrix does not depend on."""
    if reference.at is not None:
        return reference
    clip = sources.clip(reference.medium)
    return replace(reference, at=(clip.width / 2, clip.height / 2))


def _row(one: Scene, recipe: Recipe) -> Row:
    panels = tuple(_panel(shot, recipe) for shot in one.shots if shot.kind.has_matrix)
    spans = {panel.content.span for panel in panels}
    low, high = spans.pop() if len(spans) == 1 else (None, None)
    return Row(one.reference.label, panels, (), low, high)


def _panel(shot: Shot, recipe: Recipe) -> Panel:
    made = matrix(shot.block, recipe.layout.log_scale)
    queries, keys = made.size
    label = f"query i of {queries} (down), key j of {keys} (across)"
    if max(made.block) > 1:
        label += f"; each entry the mean of {made.block[0]} x {made.block[1]}"
    if made.log:
        label += "; log scale"
    return Panel(made, shot.title, label, span=made.span)


def matrix(block: BlockCapture, log: bool = False, most: int = MOST_ENTRIES) -> Matrix:
    """Return all rows of a block's matrix, or the means of blocks of rows and columns.

    At most ``most`` x ``most`` entries come out; about 16 MB are in memory at a time.
    """
    queries, keys = block.query_grid.cells, block.key_grid.cells
    high, wide = -(-queries // most), -(-keys // most)
    starts = np.arange(0, keys, wide)
    counts = np.diff(np.append(starts, keys))
    found = []
    for part in _chunks(block, high):
        columns = np.add.reduceat(part.astype(np.float64), starts, axis=1) / counts
        first = np.arange(0, len(part), high)
        heights = np.diff(np.append(first, len(part)))
        found.append(np.add.reduceat(columns, first, axis=0) / heights[:, None])
    frames = block.query_grid.frames, block.key_grid.frames
    values = np.concatenate(found).astype(np.float32)
    return Matrix(values, (high, wide), (queries, keys), frames, log)


def _chunks(block: BlockCapture, high: int) -> Iterator[np.ndarray]:
    """Yield consecutive rows (r, M) float32, r a multiple of ``high`` but at the end."""
    queries, keys = block.query_grid.cells, block.key_grid.cells
    step = high * max(1, _CHUNK // (keys * high))
    for start in range(0, queries, step):
        yield kind_of(block).matrix_rows(block, start, min(start + step, queries)).cpu().numpy()
