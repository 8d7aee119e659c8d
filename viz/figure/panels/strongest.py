"""The preset strongest: what a channel, group or head answers to most, picture by picture."""

from collections.abc import Sequence
from dataclasses import replace

from viz.figure.panels.panel_rows import Panel, Picture, Row
from viz.figure.panels.pictures import Item, caption_of, heat_panel
from viz.figure.recipe.recipe import Recipe, Reference
from viz.figure.resolve import Scene, Shot
from viz.geometry import Box

PATCH = 0.25
"""Side of a patch, over the longer side of its picture."""
PATCHES = "patches"


def fits(references: Sequence[Reference]) -> dict[str, bool]:
    """Return the fields of the layout with which so many references fit a page: rows as columns,
    where there would be more pictures below each other than side by side."""
    patches = [one for one in references if one.at is not None or one.object is not None]
    lines = 2 * min((len(one.views) for one in patches), default=0)
    return {"transpose": True} if lines > len(patches) else {}


def rows(found: Sequence[Scene], recipe: Recipe, _frames: object) -> list[Row]:
    """Return for each view a row of pictures with the map of its channel at each reference, and
    one of the patches around the references."""
    made = []
    for k in range(min(len(scene.shots) for scene in found)):
        items = [_item(scene.shots[k], recipe) for scene in found]
        name, heads = _names(items)
        pictures = tuple(
            heat_panel(scene, item, scene.reference.frame, recipe, head, scene.reference.label)
            for scene, item, head in zip(found, items, heads, strict=True)
        )
        made.append(Row(name, pictures))
        made.append(Row(PATCHES, tuple(_patch(s, p) for s, p in zip(found, pictures, strict=True))))
    return made


def _item(shot: Shot, recipe: Recipe) -> Item:
    attention = shot.shown or shot.maps[0]
    name = shot.title if shot.is_single else f"{shot.title} {caption_of(shot, attention)}"
    return Item(shot, attention, name, recipe.look)


def _names(items: Sequence[Item]) -> tuple[str, list[str]]:
    """Return what stands beside a row, and over each of its maps: its rank, and what it shows where
    the others show something else, as pins of their own best channels do."""
    ranks = [f"{rank}" for rank in range(1, len(items) + 1)]
    if len({item.name for item in items}) == 1:
        return items[0].name, ranks
    titles = {item.shot.title for item in items}
    if len(titles) > 1:
        return "", [f"{rank}: {item.name}" for rank, item in zip(ranks, items, strict=True)]
    return titles.pop(), [
        f"{rank}: {caption_of(item.shot, item.attention)}"
        for rank, item in zip(ranks, items, strict=True)
    ]


def _patch(scene: Scene, panel: Panel) -> Panel:
    """Return the picture around the reference, without heat."""
    x, y = scene.reference.at
    width, height = scene.clip.width, scene.clip.height
    side = min(PATCH * max(width, height), width, height)
    left, top = (
        min(max(middle - side / 2, 0), size - side) for middle, size in ((x, width), (y, height))
    )
    crop = Box(round(left), round(top), round(left + side), round(top + side))
    content: Picture = panel.content
    return Panel(replace(content, crop=crop, shade=None, regions=()))
