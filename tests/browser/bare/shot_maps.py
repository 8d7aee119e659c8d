"""What Python says of a hand-made shot at another cell than its own."""

from dataclasses import replace

from viz.attention.choice import MapChoice
from viz.figure.resolve import Shot
from viz.types import AttentionMap, Cell, moment


def moved(shot: Shot, frames: int, place: tuple[int, ...]) -> Shot:
    """The shot at (frame, row, column) of a clip of so many frames, or (row, column)."""
    frame, row, col = place if len(place) == 3 else (0, *place)
    t = moment(frame, frames, shot.block.query_grid.frames)
    return replace(shot, cell=Cell(t, row, col))


def map_of(shot: Shot, choice: str | None = None) -> AttentionMap:
    """One map of a shot: "channel 2" by rank, "group 3", "mean"; the only one for None."""
    wanted = MapChoice.parse(choice) if choice else None
    number = shot.kind.resolved(shot.block, shot.cell, shot.selection, wanted)
    return shot.kind.map(shot.block, shot.cell, number)
