"""A frame with its heat and marks, as a panel of a figure."""

from dataclasses import dataclass, replace
from functools import cached_property

from viz.figure.panels.panel_rows import Panel, Picture, Point, Shade
from viz.figure.recipe.recipe import Layout, Recipe, Reference
from viz.figure.resolve import Scene, Shot
from viz.geometry import Box, Geometry
from viz.rendering import heat, marks
from viz.rendering.look import Look
from viz.types import AttentionMap, Clip, moment

_REGIONS_AT = 512
"""Long side in pixels at which connected regions are looked for."""
INPUT, PARTS = "input", "parts"
CONSTANT = "constant map, nothing shown"
NO_ARROWS = "no reference, no arrows"
_LAST_LETTER = "\u017f"
"""The last of the Latin letters that every font of figures has."""


@dataclass(frozen=True, eq=False)
class Item:
    """One map of a shot, its name, and the look that scales it."""

    shot: Shot
    attention: AttentionMap
    name: str
    look: Look

    @cached_property
    def heat(self) -> heat.Heat:
        """The scaled map."""
        return heat.normalise(self.attention, self.look)

    @property
    def is_union(self) -> bool:
        """Whether it is made of several maps."""
        return self.attention.meaning == "largest of scaled maps"

    @property
    def caption(self) -> str:
        """What tells the map from the others of its reference; "" where it has one."""
        if self.shot.is_single or self.is_union:
            return ""
        return caption_of(self.shot, self.attention)

    @property
    def span(self) -> tuple[float | None, float | None]:
        """What 0 and 1 of its heat stand for; None where every frame has ends of its own."""
        by_frame = self.look.normalise == "frame" and len(self.heat.values) > 1
        return (None, None) if by_frame else (self.heat.low, self.heat.high)


def caption_of(shot: Shot, attention: AttentionMap) -> str:
    """Return what tells a map from the others of its reference: c17, the name of a class."""
    return drawable(shot.kind.caption(shot.capture, attention))


def drawable(name: str) -> str:
    """Return a name out of a file, with ? for letters that fonts may lack: nobody chose it as a
    label, so that nobody could leave them out."""
    return "".join(c if c.isprintable() and c <= _LAST_LETTER else "?" for c in name)


def frame_head(scene: Scene, frame: int) -> str:
    """Return what stands over a frame: its time."""
    return f"{scene.clip.timestamps[frame]:.2f} s"


def crop_of(clip: Clip, geometry: Geometry, reference: Reference, layout: Layout) -> Box:
    """Return which whole pixels of the picture are shown."""
    width, height = clip.width, clip.height
    if reference.crop is not None:
        left, top, right, bottom = (round(v) for v in reference.crop)
        left, top = min(max(0, left), width - 1), min(max(0, top), height - 1)
        return Box(left, top, min(max(left + 1, right), width), min(max(top + 1, bottom), height))
    if layout.crop == "square":
        side = min(width, height)
        x, y = reference.at or (width / 2, height / 2)
        left, top = (
            round(min(max(middle - side / 2, 0), size - side))
            for middle, size in ((x, width), (y, height))
        )
        return Box(left, top, left + side, top + side)
    if layout.crop == "seen":
        rows, cols = marks.pixel_span(geometry)
        return Box(cols.start, rows.start, cols.stop, rows.stop)
    return Box(0, 0, width, height)


def _reference_box(shot: Shot) -> Box:
    """Return the cell of the reference, or the box of the object that the maps are means over."""
    if shot.over is not None:
        box, whole = shot.over.box, shot.geometry
        left, top = (
            min(max(0.0, box.left), whole.width - 1),
            min(max(0.0, box.top), whole.height - 1),
        )
        right, bottom = min(box.right, whole.width), min(box.bottom, whole.height)
        return Box(left, top, max(right, left + 1), max(bottom, top + 1))
    return shot.geometry.cell_box(shot.cell.y, shot.cell.x, shot.block.query_grid)


def input_panel(scene: Scene, recipe: Recipe, frame: int | None = None) -> Panel:
    """Return the plain picture with the reference of the first view, in its own frame."""
    shot, index = scene.shots[0], scene.reference.frame if frame is None else frame
    box = _reference_box(shot) if index == scene.reference.frame else None
    crop = crop_of(scene.clip, shot.geometry, scene.reference, recipe.layout)
    head = INPUT if frame is None else frame_head(scene, frame)
    shown = Picture(scene.frames[index], crop, reference=box, size=scene.clip.size)
    return Panel(shown, head)


def truth_panel(scene: Scene, recipe: Recipe, numbers: dict[str, int]) -> Panel | None:
    """Return the picture with its ground-truth parts, or None without any."""
    if not scene.reference.parts:
        return None
    points = tuple(Point(p.x, p.y, numbers[p.name]) for p in scene.reference.parts)
    crop = crop_of(scene.clip, scene.shots[0].geometry, scene.reference, recipe.layout)
    return Panel(Picture(scene.frame, crop, points=points, size=scene.clip.size), PARTS)


def heat_panel(
    scene: Scene, item: Item, frame: int, recipe: Recipe, head: str = "", label: str | None = None
) -> Panel:
    """Return a frame with the heat of its moment; head and label are the shot's title and the
    channel or group, where none are given."""
    shot, scaled = item.shot, item.heat
    t = moment(frame, len(scene.clip.frames), len(scaled.values))
    shade = Shade(scaled, t, shot.geometry) if recipe.look.heat_opacity > 0 else None
    picture = Picture(
        scene.frames[frame],
        crop_of(scene.clip, shot.geometry, scene.reference, recipe.layout),
        shade,
        _reference_box(shot) if shot.has_reference and frame == scene.reference.frame else None,
        _regions(shot, scaled, t, recipe),
        size=scene.clip.size,
    )
    bare = shade is None and item.look.arrows and not shot.kind.referenced
    note = CONSTANT if scaled.constant else NO_ARROWS if bare else ""
    label = item.caption if label is None else label
    return Panel(picture, head or shot.title, label, note, item.span)


def _regions(shot: Shot, scaled: heat.Heat, t: int, recipe: Recipe) -> tuple[Box, ...]:
    wanted = recipe.layout.regions
    if wanted == "none" or (wanted == "NL" and not shot.is_single):
        return ()
    full = shot.geometry
    factor = min(1.0, _REGIONS_AT / max(full.width, full.height))
    width, height = (max(1, round(v * factor)) for v in (full.width, full.height))
    wide, high = full.width / width, full.height / height
    small = replace(full, width=width, height=height)
    return tuple(
        Box(b.left * wide, b.top * high, b.right * wide, b.bottom * high)
        for b in marks.regions(small, scaled, recipe.look, t)
    )
