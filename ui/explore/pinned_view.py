"""From what Explore shows to pins and files: references and figures that a recipe can hold."""

import re
from dataclasses import dataclass, replace
from pathlib import PurePath

from models.loaded import LoadedModel
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.attention.choice import Selection
from viz.figure import composition
from viz.figure.api import Figure
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.figure.resolve import Scene, Shot
from viz.rendering.look import Look
from viz.types import Clip


@dataclass(frozen=True, eq=False)
class SceneSources:
    """Sources of the figures of one scene: what is on the page, in any thread."""

    scene: Scene

    def _of(self, medium: Medium) -> Scene:
        """Return the part of the scene that a medium is shown in."""
        second = self.scene.second
        return second if second and medium == self.scene.reference.second else self.scene

    def clip(self, medium: Medium) -> Clip:
        """Return the clip, or the second picture."""
        return self._of(medium).clip

    def model(self, network: Network) -> LoadedModel:
        """Return a network of the scene."""
        return next(shot.model for shot in self.scene.shots if shot.view.network == network)

    def capture(self, medium: Medium, view: View) -> Capture:
        """Return what the one forward pass of a view left."""
        wanted = (view.network, view.mode, view.size)
        shots = self._of(medium).shots
        found = (s for s in shots if (s.view.network, s.view.mode, s.view.size) == wanted)
        return next(found).capture


def reference_of(found: Scene, look: Look | None = None) -> Reference:
    """Return Explore's pinned patch with one view a network, as it is seen in a look.

    Its pixel is the middle of the cell in the first network's grid.
    """
    lead = found.shots[0]
    at = lead.geometry.cell_centre(lead.cell.y, lead.cell.x, lead.block.query_grid)
    if found.reference.object is not None:
        at = found.reference.at
    views = tuple(_view(shot) for shot in found.shots)
    return replace(found.reference, at=at, views=views, look=look)


def _view(shot: Shot) -> View:
    """Return the view as a recipe holds it: what it depends on by name, without Explore's title."""
    mode, size = pipeline.effective(shot.model.spec, shot.view.mode, shot.view.size)
    view = replace(shot.view, mode=mode, size=size, label="")
    return replace(view, maps="auto", count=Selection().count) if shot.is_single else view


def figure_of(found: Scene, look: Look, dpi: int = 300) -> Figure:
    """Return the figure of what is on the page; its recipe draws the same again."""
    titles = [shot.title for shot in found.shots]
    reference = reference_of(found)
    named = tuple(
        replace(view, label=title) for view, title in zip(reference.views, titles, strict=True)
    )
    shots = tuple(replace(s, view=v) for s, v in zip(found.shots, named, strict=True))
    second = found.second
    if second is not None:
        there = zip(second.shots, named, strict=True)
        second = replace(second, shots=tuple(replace(s, view=v) for s, v in there))
    recipe = composition.view_recipe((replace(reference, views=named),), look)
    recipe = replace(recipe, layout=replace(recipe.layout, dpi=dpi))
    return Figure(recipe, SceneSources(replace(found, shots=shots, second=second)))


def file_stem(found: Scene) -> str:
    """Return what saved files are called: albatross_e2-nl_r5c4, with f3 for frame 3 of a clip."""
    lead = found.shots[0]
    frame = f"f{found.reference.frame}" if len(found.clip.frames) > 1 else ""
    place = f"{frame}r{lead.cell.y}c{lead.cell.x}" if lead.kind.referenced else "all"
    names = [shot.view.network.id for shot in found.shots]
    pictures = [PurePath(one.clip.name).stem for one in (found, found.second) if one]
    words = [*pictures, *names, place]
    return "_".join(re.sub(r"[^\w.-]+", "-", word).strip("-.")[:60] or "x" for word in words)
