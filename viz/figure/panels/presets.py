"""The papers' figures: what each preset makes of a recipe's references, as rows of panels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Literal

from errors import InputError, OutsideError, counted
from viz.figure.panels import (
    gates as gate_panels,
)
from viz.figure.panels import (
    heat as heat_panels,
)
from viz.figure.panels import (
    matches as match_panels,
)
from viz.figure.panels import (
    matrix as matrix_panels,
)
from viz.figure.panels import (
    objects as object_panels,
)
from viz.figure.panels import (
    strongest as strongest_panels,
)
from viz.figure.panels.panel_rows import PanelRows, Row
from viz.figure.recipe.recipe import Layout, Recipe, Reference
from viz.figure.resolve import Sources, scene
from viz.rendering.look import Look

MOST_PANELS = 600


@dataclass(frozen=True)
class Preset:
    """A kind of figure: title and help in words, look and layout to start from, what it needs, and
    what makes its rows.

    ``words`` say what its colours stand for, where look and layout do not; ``always`` are fields of
    the look that it does not leave open. Of a reference with a second picture it shows both, or
    the ``first_only``. One that shows pins ``as_seen`` starts from their look on a page, which has
    pins, and from its own elsewhere. ``fits`` returns the fields of the layout that a new figure of
    so many references starts with in place of the row's.
    """

    title: str
    help: str
    look: Look
    layout: Layout
    needs: Literal["reference", "block", "pair", "gates"]
    rows: Callable[[Recipe, Sources, "Frames"], list[Row]]
    words: str = ""
    always: Mapping[str, object] = field(default_factory=dict)
    first_only: bool = False
    as_seen: bool = False
    fits: Callable[[Sequence[Reference]], dict[str, object]] = staticmethod(lambda _references: {})


Frames = tuple[int, ...] | None
"""Frames of the clips that are shown; None: as the layout says."""


def _heat_rows(make: Callable) -> Callable[[Recipe, Sources, Frames], list[Row]]:
    def rows(recipe: Recipe, sources: Sources, frames: Frames) -> list[Row]:
        scenes = [scene(reference, sources) for reference in recipe.references]
        return make(scenes, recipe, frames)

    return rows


TABLE: dict[str, Preset] = {
    "view": Preset(
        "View",
        "What Explore shows: the large map of every network, with its own colour bar.",
        Look(),
        Layout(width_mm=183.0, bar="map", columns=8, most_frames=64, input_panel=False),
        "reference",
        _heat_rows(heat_panels.view),
        as_seen=True,
    ),
    "parts": Preset(
        "Parts",
        "CGNL paper, Fig. 5: the reference (green), what the NL block attends to (white boxes), "
        "the CGNL channels, ground-truth parts; one row a photo.",
        Look(threshold=0.7),
        Layout(regions="NL"),
        "reference",
        _heat_rows(heat_panels.parts),
    ),
    "frames": Preset(
        "Frames",
        "CGNL paper, Fig. 1: what answers to the reference in the other frames, from the threshold "
        "up; one row a method.",
        Look(threshold=0.7),
        Layout(one_map="union", input_panel=False),
        "reference",
        _heat_rows(heat_panels.frames),
    ),
    "heatmaps": Preset(
        "Heatmaps",
        "CGNL paper, Fig. 6: the whole heat over every frame, without a threshold.",
        Look(threshold=0.0, heat_opacity=0.5),
        Layout(),
        "reference",
        _heat_rows(heat_panels.frames),
    ),
    "arrows": Preset(
        "Arrows",
        "NL paper, behaviour figure: from the reference to its 20 highest weights across frames, "
        "or in each of two pictures.",
        Look(threshold=0.0, heat_opacity=0.0, arrows=20),
        Layout(bar="none", input_panel=False),
        "reference",
        _heat_rows(heat_panels.frames),
    ),
    "groups": Preset(
        "Groups",
        "Every group of a CGNL block: groups below each other, frames side by side.",
        Look(threshold=0.7),
        Layout(input_panel=False),
        "reference",
        _heat_rows(heat_panels.groups),
    ),
    "matches": Preset(
        "Matches",
        "Two pictures: lines between patches that are each other's nearest, the 20 most alike.",
        Look(threshold=0.0, heat_opacity=0.0, arrows=20),
        Layout(bar="none", input_panel=False),
        "pair",
        match_panels.rows,
    ),
    "gates": Preset(
        "Gates",
        "CGD: the factors by layer; mean |activation| before and after one gate.",
        Look(threshold=0.0, heat_opacity=0.7),
        Layout(),
        "gates",
        gate_panels.rows,
        "mean |activation|, before and after the gate on one scale",
        first_only=True,
    ),
    "matrix": Preset(
        "Matrix",
        "The N x N affinity of an NL block, as means of square blocks where it is large.",
        Look(threshold=0.0),
        Layout(width_mm=82.55, bar="row"),
        "block",
        matrix_panels.rows,
        "from the lowest to the highest affinity",
        {"threshold": 0.0, "normalise": "clip", "display": "linear", "cut": "value"},
        first_only=True,
    ),
    "objects": Preset(
        "Objects",
        "What a detector found: boxes and masks, and what the middle of each object attends to.",
        Look(threshold=0.7),
        Layout(width_mm=183.0),
        "block",
        object_panels.rows,
        first_only=True,
    ),
    "strongest": Preset(
        "Strongest patches",
        "Pins side by side, their patches below or beside them. The Strongest patches page draws "
        "it of those that a channel, group or head answers to most.",
        Look(threshold=0.7),
        Layout(width_mm=183.0, bar="none", input_panel=False),
        "reference",
        _heat_rows(strongest_panels.rows),
        first_only=True,
        fits=strongest_panels.fits,
    ),
}


def panel_rows(recipe: Recipe, sources: Sources, frames: Frames = None) -> PanelRows:
    """Return the panels of a figure; ``frames`` shows just these of every clip (for movies).

    InputError or OutsideError where a reference lacks what the preset needs.
    """
    preset = TABLE[recipe.preset]
    if preset.first_only:
        firsts = (replace(one, second=None) for one in recipe.references)
        recipe = replace(recipe, references=tuple(firsts))
    _check_size(recipe)
    rows = preset.rows(recipe, sources, frames)
    look, legend = replace(recipe.look, **preset.always), _legend(recipe)
    found = PanelRows(tuple(rows), look, recipe.layout, legend, _note(rows), preset.words)
    _check_panels(len(found.panels))
    if not found.panels:
        raise InputError(f"The preset {recipe.preset} found nothing to draw; choose another.")
    labels = recipe.layout.row_labels
    if labels:
        if len(labels) > len(rows):
            raise OutsideError(
                f"{len(labels)} row labels are too many; the figure has "
                f"{counted(len(rows), 'row')}."
            )
        pairs = zip_longest(rows, labels, fillvalue="")
        found = replace(found, rows=tuple(replace(row, label=n or row.label) for row, n in pairs))
    return found


def _check_size(recipe: Recipe) -> None:
    """Refuse before any network runs what would have too many panels."""
    _check_panels(sum(_panels(reference, recipe) for reference in recipe.references))


def _check_panels(panels: int) -> None:
    if panels > MOST_PANELS:
        raise InputError(
            f"The figure would have about {panels} panels; up to {MOST_PANELS} are drawn. Take "
            "fewer references, channels or frames."
        )


def _panels(reference: Reference, recipe: Recipe) -> int:
    frames = min(len(reference.medium.frames) or 1, recipe.layout.most_frames)
    views = reference.views
    maps = sum(max(view.count, view.maps.count(",") + 1) for view in views)
    several = maps if recipe.layout.one_map == "each" else len(views)
    pictures = 2 if reference.second else 1
    return {
        "parts": 2 + pictures * maps,
        "gates": 4 * len(views),
        "matrix": len(views),
        "matches": 2 * len(views),
        "strongest": 2 * len(views),
        "objects": sum(1 + view.count for view in views),
    }.get(recipe.preset, frames * (pictures * several + 1))


def _legend(recipe: Recipe) -> tuple[str, ...]:
    if recipe.preset != "parts" or not recipe.layout.legend:
        return ()
    return heat_panels.part_names(recipe.references)


def _note(rows: Sequence[Row]) -> str:
    return next((row.note for row in rows if row.note), "")
