"""Arrows of panels: from the reference to the highest values of its map, over the frames of a clip
or into a second picture."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from models.blocks.layout import Grid
from viz.figure.panels.panel_rows import Spot
from viz.figure.panels.pictures import Item
from viz.figure.resolve import Scene
from viz.rendering import marks
from viz.types import Cell, moment

Arrow = tuple[Spot, Spot]
"""Where it starts, and where its head is."""


def over_frames(scene: Scene, item: Item, shown: Sequence[int]) -> list[Arrow]:
    """Return arrows from the reference to the highest values in the frames that are shown.

    In a frame that stands alone (of a movie) they start where the reference is in its own.
    """
    if not item.look.arrows or item.heat.constant or not item.shot.has_reference:
        return []
    if scene.reference.frame not in shown and len(shown) > 1:
        return []
    count = len(scene.clip.frames)
    columns = {frame: k for k, frame in enumerate(shown)}
    start = _start(item, columns.get(scene.reference.frame, 0))
    grid, ends = Grid(*_values(item, count).shape), []
    for cell in _strongest(item, count):
        frame = marks.frame_of(cell.t, count, grid.frames)
        frame = frame if frame in columns else _same_moment(cell.t, count, grid, shown)
        if frame is not None:
            ends.append((start, _end(item, cell.y, cell.x, grid, columns[frame])))
    return ends


def of_pictures(items: Sequence[tuple[Scene, Item]], first: int, across: bool) -> list[Arrow]:
    """Return the arrows of a row of pictures, whose panels begin in column ``first``.

    Behind each map of picture A stands that of B: its arrows come from the reference in A, where
    they may lead ``across``.
    """
    found: list[Arrow] = []
    for k, (scene, item) in enumerate(items):
        if item.shot.picture == "B":
            found += _into_second(items[k - 1][1], item, first + k) if across else []
            continue
        own = over_frames(scene, item, (0,))
        found += [tuple(replace(spot, column=first + k) for spot in arrow) for arrow in own]
    return found


def _into_second(here: Item, there: Item, column: int) -> list[Arrow]:
    """Return arrows from the reference, one column before, to the highest values in picture B."""
    if not there.look.arrows or there.heat.constant or not here.shot.has_reference:
        return []
    start, grid = _start(here, column - 1), Grid(*_values(there, 1).shape)
    cells = _strongest(there, 1)
    return [(start, _end(there, cell.y, cell.x, grid, column)) for cell in cells]


def _values(item: Item, frames: int) -> np.ndarray:
    """Return a map (t, h, w); of a picture that was held still only the moment that is drawn."""
    return item.attention.values[: 1 if frames == 1 else None]


def _strongest(item: Item, frames: int) -> list[Cell]:
    return marks.strongest(replace(item.attention, values=_values(item, frames)), item.look.arrows)


def _start(item: Item, column: int) -> Spot:
    shot = item.shot
    where = shot.geometry.cell_centre(shot.cell.y, shot.cell.x, shot.block.query_grid)
    return Spot(column, *where)


def _end(item: Item, y: int, x: int, grid: Grid, column: int) -> Spot:
    return Spot(column, *item.shot.geometry.cell_centre(y, x, grid))


def _same_moment(t: int, count: int, grid: Grid, shown: Sequence[int]) -> int | None:
    return next((k for k in shown if moment(k, count, grid.frames) == t), None)
