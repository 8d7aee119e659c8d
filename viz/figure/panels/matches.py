"""Two pictures side by side, with lines between the patches that are each other's nearest: the
preset matches."""

from collections.abc import Iterable
from dataclasses import replace

from errors import InputError
from viz.attention import matches, queries
from viz.attention.captures import Capture
from viz.attention.kinds.features import FeatureCapture
from viz.attention.matches import Match
from viz.figure import resolve
from viz.figure.panels.panel_rows import Panel, Picture, Row, Spot
from viz.figure.panels.pictures import crop_of, drawable
from viz.figure.recipe.recipe import Layout, Recipe, Reference, View
from viz.figure.resolve import Sources
from viz.geometry import Box, Geometry
from viz.types import Clip

MISSING = (
    "The preset matches needs a second picture; pin a view of two pictures on Explore, or give "
    "each input one (second, on the command line --second)."
)


def rows(recipe: Recipe, sources: Sources, _frames: object) -> list[Row]:
    """Return a row for each reference and network: A, B, and the pairs that match both ways."""
    return [
        _row(reference, view, recipe, sources)
        for reference in recipe.references
        for view in reference.views
    ]


def _row(reference: Reference, view: View, recipe: Recipe, sources: Sources) -> Row:
    if reference.second is None:
        raise InputError(MISSING)
    clips = [sources.clip(medium) for medium in (reference.medium, reference.second)]
    for clip in clips:
        resolve.check_picture(clip)
    a, b = (sources.capture(medium, view) for medium in (reference.medium, reference.second))
    of_a, of_b = (_vectors(view, capture) for capture in (a, b))
    every = matches.mutual(a, of_a, b, of_b, of_a.query_grid.cells)
    found = _apart(every, a.geometry.cell_box(0, 0, of_a.query_grid), recipe.look.arrows)
    lines = tuple((Spot(0, *one.a[:2]), Spot(1, *one.b[:2])) for one in found)
    there = replace(reference, medium=reference.second, at=None, crop=None)
    panels = (
        _picture(clips[0], a.geometry, reference, recipe.layout),
        _picture(clips[1], b.geometry, there, recipe.layout),
    )
    name = view.label or drawable(f"{view.network.id.rpartition('/')[2]} {of_a.label}")
    words = (reference.label, name) if len(reference.views) > 1 else (reference.label,)
    return Row(", ".join(word for word in words if word), panels, lines=lines)


def _apart(found: Iterable[Match], cell: Box, most: int) -> list[Match]:
    """Return the best matches whose cells in A do not touch: a wide sky has few lines."""
    wide, high = 1.5 * (cell.right - cell.left), 1.5 * (cell.bottom - cell.top)
    kept: list[Match] = []
    for one in found:
        near = (abs(one.a[0] - k.a[0]) < wide and abs(one.a[1] - k.a[1]) < high for k in kept)
        if len(kept) < most and one.a[2] == 0 and not any(near):
            kept.append(one)
    return kept


def _vectors(view: View, capture: Capture) -> FeatureCapture:
    """Return the vectors of a view's kind; of other kinds, what enters the block."""
    found = queries.block_of(capture, view.block, view.kind)
    if isinstance(found, FeatureCapture):
        return found
    return queries.block_of(capture, view.block, matches.FEATURES)


def _picture(clip: Clip, geometry: Geometry, reference: Reference, layout: Layout) -> Panel:
    crop: Box = crop_of(clip, geometry, reference, layout)
    # The recipe's name: the same where the file lies elsewhere now.
    name = reference.medium.path.replace("\\", "/").rpartition("/")[2]
    return Panel(Picture(clip.frames[0], crop, size=clip.size), drawable(name))
