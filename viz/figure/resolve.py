"""What a recipe's references show: clips, captures and maps behind each view."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from errors import InputError, OutsideError
from models.loaded import LoadedModel
from viz.attention import matches, queries
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice, Selection
from viz.attention.detection import object_rows, objects
from viz.attention.detection.objects import FoundObject
from viz.attention.kinds.registry import MapKind, kind_of, selection
from viz.figure.recipe.recipe import Medium, Network, Reference, View
from viz.geometry import Geometry
from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Clip

UNION = MapChoice("union")


class Sources(Protocol):
    """Where the clips and networks of a recipe come from: files, or the session of the app."""

    def clip(self, medium: Medium) -> Clip:
        """Return the frames of a medium; InputError where it is missing or has changed."""
        ...

    def model(self, network: Network) -> LoadedModel:
        """Return a network; InputError where it is missing or has changed."""
        ...

    def capture(self, medium: Medium, view: View) -> Capture:
        """Return what one forward pass left; the same medium and network never run twice."""
        ...


@dataclass(frozen=True, eq=False)
class Shot:
    """A view of a reference, resolved: the block as the view's kind sees it, and the cell that its
    maps are of. Pages, command line and figures draw from this.

    ``capture`` is of the picture that the maps lie in: of two pictures A, which has the reference,
    or B.
    With an object ``over`` the maps are means over its patches in ``frame``, and the cell is the
    one under its middle. ``answer`` is the capture at the size of the network's training, where the
    maps are made at a larger one.
    """

    view: View
    model: LoadedModel
    capture: Capture
    block: BlockCapture
    cell: Cell
    picture: Literal["", "A", "B"] = ""
    over: FoundObject | None = None
    frame: int = 0
    answer: Capture | None = None

    @property
    def answering(self) -> Capture:
        """The capture whose prediction is the network's."""
        return self.answer or self.capture

    @property
    def kind(self) -> MapKind:
        """The map kind that is shown."""
        return kind_of(self.block)

    @property
    def is_single(self) -> bool:
        """Whether a reference has one map: an NL row, a cosine."""
        return self.kind.is_single(self.block)

    @property
    def geometry(self) -> Geometry:
        """How the picture lies in the network's input."""
        return self.capture.geometry_of(self.block)

    @property
    def title(self) -> str:
        """The view's label, or the title of its kind; of a second picture it says so."""
        name = self.view.label or self.kind.title
        return f"{name}, second picture" if self.picture == "B" else name

    @property
    def has_reference(self) -> bool:
        """Whether its picture has the reference's cell, which is marked."""
        return self.kind.referenced and self.picture != "B"

    @cached_property
    def selection(self) -> Selection:
        """Which maps the view asks for."""
        return selection(self.view.maps, self.view.count)

    @cached_property
    def maps(self) -> tuple[AttentionMap, ...]:
        """The one map, or those that the view asks for, best first."""
        return self._kept(self.selection)

    @cached_property
    def divisions(self) -> tuple[AttentionMap, ...]:
        """The maps of all groups or heads; empty where the kind has none."""
        if not self.kind.divisions(self.block):
            return ()
        return self._kept(Selection(divisions=True))

    @cached_property
    def shown(self) -> AttentionMap | None:
        """The one map that the view shows large; None for the union of its maps."""
        if not self.is_single and self.view.shown == UNION:
            return None
        choice = self.kind.resolved(self.block, self.cell, self.selection, self.view.shown)
        found = (one for one in (*self.maps, *self.divisions) if choice == _choice_of(one))
        made = next(found, None)
        return made or self._placed(self.meant(self.kind.map(self.block, self.cell, choice)))

    def meant(self, attention: AttentionMap) -> AttentionMap:
        """Return a map as it is, or its mean over the patches of the object."""
        if self.over is None or not self.kind.referenced:
            return attention
        choice = _choice_of(attention)
        return object_rows.mean_map(self.capture, self.block, self.over, choice, self.frame)

    def _placed(self, attention: AttentionMap) -> AttentionMap:
        """Return a map that knows the reference's own cell in its grid."""
        if not self.has_reference:
            return attention
        return replace(attention, own=own_cell(self.cell, self.block))

    def _kept(self, wanted: Selection) -> tuple[AttentionMap, ...]:
        """Return maps, which are kept with the capture: a change of look asks for them again."""
        over = None if self.over is None else (self.over.number, self.frame)

        def made() -> tuple[AttentionMap, ...]:
            maps = self.kind.maps(self.block, self.cell, wanted)
            return tuple(self._placed(self.meant(one)) for one in maps)

        if self.picture:  # the same block has other factors beside another picture
            return made()
        key = (self.block.label, self.block.kind, self.cell, wanted, over)
        return self.capture.memory.once(key, made)


def _choice_of(attention: AttentionMap) -> MapChoice | None:
    return MapChoice(attention.part, attention.number) if attention.part else None


@dataclass(frozen=True, eq=False)
class Scene:
    """A reference with its clip and the shots of its views; ``second`` is that of the second
    picture, whose shots are of the same views in the same order."""

    reference: Reference
    clip: Clip
    shots: tuple[Shot, ...]
    second: "Scene | None" = None

    @cached_property
    def frames(self) -> tuple[np.ndarray, ...]:
        """Every frame, (H, W, 3) uint8: the same array whenever it is asked for."""
        return tuple(self.clip.frames)

    @property
    def frame(self) -> np.ndarray:
        """The reference's frame."""
        return self.frames[self.reference.frame]


def scene(reference: Reference, sources: Sources) -> Scene:
    """Return a reference with everything asked of it; the networks run once."""
    one = object_of(reference, sources)
    if one is not None and reference.at is None:
        capture = sources.capture(reference.medium, detector_view(reference, sources))
        reference = replace(reference, at=objects.reference_of(capture, one))
    if reference.at is None:
        raise InputError(
            f"{reference.medium.path} has no reference patch; this preset needs one. Give the "
            "pixel x,y of the picture (at)."
        )
    clip = sources.clip(reference.medium)
    if reference.frame >= len(clip.frames):
        raise OutsideError(
            f"{reference.frame} is not a frame of {reference.medium.path}; it has frames 0 to "
            f"{len(clip.frames) - 1}."
        )
    lead, *others = reference.views
    shots = [shot(reference, lead, sources, queries.cell_at, one)]
    shots += [shot(reference, view, sources, queries.nearest_cell, one) for view in others]
    if reference.second is None:
        return Scene(reference, clip, tuple(shots))
    other = sources.clip(reference.second)
    captures = [sources.capture(reference.second, view) for view in reference.views]
    return beside(Scene(reference, clip, tuple(shots)), other, captures)


def beside(found: Scene, other: Clip, captures: Sequence[Capture]) -> Scene:
    """Return a scene with a second picture, of which every view has a capture.

    InputError where one of the two is a clip, or a block has no map from one into the other.
    """
    for clip in (found.clip, other):
        check_picture(clip)
    if any(one.over is not None or one.block.geometry is not None for one in found.shots):
        raise InputError(
            "Means over an object, and blocks in a head, have no second picture; take the middle "
            "of the object and a block of the trunk, or one picture."
        )
    pairs = [_pair(*one) for one in zip(found.shots, captures, strict=True)]
    firsts, seconds = zip(*pairs, strict=True)
    there = replace(found.reference, medium=found.reference.second, at=None, crop=None)
    return replace(found, shots=firsts, second=Scene(there, other, seconds))


def check_picture(clip: Clip) -> None:
    """Refuse a clip where two pictures are compared."""
    if len(clip.frames) > 1:
        raise InputError(
            f"{clip.name} is a clip of {len(clip.frames)} frames; a second picture goes with one "
            "picture. Take a picture, or one frame of the clip."
        )


def _pair(one: Shot, capture: Capture) -> tuple[Shot, Shot]:
    """Return a shot of picture A as it is with picture B beside it, and that of B."""
    there = queries.block_of(capture, one.block.label, one.view.kind)
    first, second = matches.joined(one.capture, one.block, capture, there)
    return (
        replace(one, block=first, picture="A"),
        replace(one, capture=capture, block=second, picture="B", answer=None),
    )


def detector_view(reference: Reference, sources: Sources) -> View:
    """Return the first view of a reference whose network finds objects."""
    for view in reference.views:
        if objects.is_detector(sources.capture(reference.medium, view)):
            return view
    raise InputError(
        f"{reference.views[0].network.id} classifies and finds no objects; choose a detector, or "
        "give a pixel of the picture (at)."
    )


def object_of(reference: Reference, sources: Sources) -> FoundObject | None:
    """Return the object that a reference names; None where it names none."""
    if reference.object is None:
        if reference.mean:
            raise InputError(
                f"{reference.medium.path} has no object for a mean; give its number (object)."
            )
        return None
    capture = sources.capture(reference.medium, detector_view(reference, sources))
    return objects.chosen(capture, reference.object, reference.frame)


def shot(
    reference: Reference,
    view: View,
    sources: Sources,
    place: Callable[[Capture, BlockCapture, tuple[float, float], int], Cell],
    one: FoundObject | None = None,
) -> Shot:
    """Return one view of a reference; ``place`` finds the cell under its pixel; ``one`` is its
    object."""
    capture = sources.capture(reference.medium, view)
    own = one is not None and view == detector_view(reference, sources)
    block = block_for(reference, view, capture, own)
    cell = place(capture, block, reference.at, reference.frame)
    over = one if reference.mean else None
    return Shot(
        view, sources.model(view.network), capture, block, cell, over=over, frame=reference.frame
    )


def block_for(reference: Reference, view: View, capture: Capture, own: bool) -> BlockCapture:
    """Return the block of a view. A head's block sees one object: the reference's, where the view
    is of the detector that found it (``own``), else the one at its pixel."""
    if own:
        asked = (view.block, view.kind, reference.object, reference.frame)
        return queries.block_of(capture, *asked)
    return queries.block_at(capture, view.block, view.kind, reference.at, reference.frame)


def own_cell(cell: Cell, block: BlockCapture) -> tuple[int, int, int]:
    """Return the cell (t, y, x) of the key grid that lies under the middle of a reference's."""
    sides = zip((cell.t, cell.y, cell.x), block.query_grid, block.key_grid, strict=True)
    t, y, x = ((2 * at + 1) * keys // (2 * queries) for at, queries, keys in sides)
    return t, y, x


def union(maps: Iterable[AttentionMap], look: Look) -> AttentionMap:
    """Return the largest value at every cell of maps that are scaled to [0, 1] first, (T, h, w).

    It shows in one picture what any of the channels answers to, as Fig. 1 of Yue et al. 2018 has
    one picture a method; the paper gives no formula for it.
    """
    maps = list(maps)
    scaled = [heat.normalise(one, look).values for one in maps]
    return replace(
        maps[0], values=np.max(scaled, axis=0), meaning="largest of scaled maps", label="union",
        part="", number=None,
    )  # fmt: skip
