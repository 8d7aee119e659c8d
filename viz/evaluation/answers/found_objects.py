"""Where the weight of a detected object's row lies: in its own mask, in others, in the background.

References are the middles of what a detector finds, whatever annotations say; networks that
classify have none. A cell lies in an object where its middle is in the mask, or in the box where
there is no mask.
"""

from collections.abc import Iterator, Sequence

from viz.attention.detection import object_rows, objects
from viz.attention.detection.objects import FoundObject
from viz.datasets.shards import Row
from viz.evaluation.sources import SOURCES
from viz.evaluation.subject import Reference, Subject
from viz.types import Cell

NAMES: dict[str, str] = {
    "energy in its object": "own",
    "energy in others of its class": "same_class",
    "energy in other classes": "other_classes",
    "energy in the background": "background",
    "area of its object": "area",
}
"""Measure -> the share of a map's positive mass that it is; the last is that of an even map."""


def rows(subject: Subject, maps: Sequence[str], measured: Sequence[str]) -> Iterator[Row]:
    """Yield the asked measures of each asked map of each object that scores at least 0.5."""
    wanted = [name for name in measured if name in NAMES]
    if not wanted or not objects.is_detector(subject.capture):
        return
    listed = objects.found(subject.capture)
    for one in listed[:1] if subject.block.geometry is not None else listed:
        reference = _reference(subject, one)
        for name in maps:
            shares = _shares(subject, reference, one, listed, name)
            if shares is None:
                continue
            at = {"map": name, "reference": f"{one.number} {one.name}"}
            at |= {"x": reference.at[0], "y": reference.at[1]}
            for measure in wanted:
                yield {**at, "measure": measure, "value": shares[NAMES[measure]]}


def _reference(subject: Subject, one: FoundObject) -> Reference:
    at = objects.reference_of(subject.capture, one)
    cell = subject.geometry.nearest_cell(*at, subject.block.query_grid)
    return Reference(one.name, at, Cell(0, *cell))


def _shares(
    subject: Subject,
    reference: Reference,
    one: FoundObject,
    listed: Sequence[FoundObject],
    name: str,
) -> dict[str, float] | None:
    made = SOURCES[name].make(subject, [reference])
    if made is None:
        return None
    values, grid = made
    laid = values[0].float().cpu().reshape(grid.rows, grid.cols).numpy()
    inside = objects.cells_of(one, subject.geometry, grid)
    found = object_rows.energy_of(laid, one, listed, subject.geometry)
    return {**vars(found), "area": float(inside.mean())}
