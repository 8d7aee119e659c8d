"""From what Explore and Gates show to pins: references that a recipe can hold."""

from collections.abc import Sequence
from dataclasses import replace

from ui.explore.scene import Shown
from ui.explore.sidebar import Settings
from ui.session.pin_button import medium_of, network_of
from viz.attention import pipeline
from viz.attention.pipeline import Channels
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Reference, View
from viz.types import CGNLCapture, Clip

FIRST = "channel 1"


def reference_of(clip: Clip, settings: Settings, shown: Sequence[Shown]) -> Reference:
    """Return Explore's pinned patch with one view a network.

    Its pixel is the middle of the cell in the first network's grid.
    """
    lead = shown[0]
    at = lead.capture.geometry.cell_centre(lead.cell.y, lead.cell.x, lead.block.query_grid)
    views = tuple(_view(one, settings) for one in shown)
    return Reference(medium_of(clip), views, at, lead.frame)


def view_recipe(clip: Clip, settings: Settings, shown: Sequence[Shown]) -> bytes:
    """Return the recipe of a figure of Explore's view, with its look."""
    made = recipe.of_view(reference_of(clip, settings, shown), settings.look)
    return recipe_json.dumps(made).encode()


def _view(shown: Shown, settings: Settings) -> View:
    mode, size = pipeline.effective(shown.model.spec, settings.mode, settings.size)
    view = View(network_of(shown.model), shown.chosen.block, mode, size)
    if not isinstance(shown.block, CGNLCapture):
        return view
    wanted = shown.channels
    text = ",".join(map(str, wanted.listed)) or wanted.ranking
    return replace(
        view,
        channels=text,
        count=len(wanted.listed) or wanted.count,
        shown=_large(shown, shown.block, wanted, settings.focus),
    )


def _large(shown: Shown, block: CGNLCapture, wanted: Channels, focus: str) -> str:
    """Return the map that Explore shows large: the first where the one in focus is not there."""
    kind, _, number = focus.partition(" ")
    index = int(number) if number.isdecimal() else 0
    if kind == "group" and number:
        return focus if index < block.groups else FIRST
    there = len(pipeline.choose_channels(block, shown.cell, wanted))
    return focus if kind == "channel" and 1 <= index <= there else FIRST
