"""The preset objects: a picture with what a detector found in it, and the rows of the objects."""

from dataclasses import replace

from errors import InputError
from viz.attention.choice import numbers
from viz.attention.detection import objects
from viz.attention.detection.objects import FoundObject
from viz.attention.kinds.registry import rankings
from viz.figure.panels import heat as heat_panels
from viz.figure.panels.panel_rows import Panel, Picture, Row
from viz.figure.panels.pictures import INPUT, Item, crop_of, drawable, heat_panel
from viz.figure.recipe.recipe import Recipe, Reference, View
from viz.figure.resolve import Scene, Shot, Sources, scene


def rows(recipe: Recipe, sources: Sources, _frames: object) -> list[Row]:
    """Return a row for each view of each reference: boxes and masks, then a row an object.

    ``maps`` of a view are the numbers of objects, or its ``count`` best are taken. Networks that
    classify are passed over beside a detector.
    """
    return [
        _row(reference, view, recipe, sources)
        for reference in recipe.references
        for view in _detectors(reference, sources)
    ]


def _detectors(reference: Reference, sources: Sources) -> list[View]:
    """Return the views of detectors; networks beside them that classify find nothing. All, to be
    refused, where there is none."""
    found = [
        view
        for view in reference.views
        if objects.is_detector(sources.capture(reference.medium, view))
    ]
    return found or list(reference.views)


def _row(reference: Reference, view: View, recipe: Recipe, sources: Sources) -> Row:
    capture = sources.capture(reference.medium, view)
    shown = objects.found(capture, reference.frame)
    taken = _taken(view, capture, reference.frame, shown)
    listed = shown or taken
    panels: list[Panel] = []
    items: list[Item] = []
    for one in taken:
        at, views = objects.reference_of(capture, one), (_row_view(view),)
        own = replace(reference, at=at, object=one.number, views=views)
        placed = scene(own, sources)
        if not panels and recipe.layout.input_panel:
            panels.append(_found_panel(placed, listed, recipe))
        (shot,) = placed.shots
        item = _item(shot, recipe)
        items.append(item)
        panel = heat_panel(placed, item, own.frame, recipe, drawable(one.words), "")
        panels.append(replace(panel, content=replace(panel.content, objects=(one,))))
    return Row(reference.label, tuple(panels), (), **heat_panels.shared_scale(items))


def _row_view(view: View) -> View:
    """Return the view without the numbers of objects, which are no channels."""
    return replace(view, maps="auto") if view.maps != "auto" else view


def _item(shot: Shot, recipe: Recipe) -> Item:
    attention = shot.shown or shot.maps[0]
    return Item(shot, attention, shot.title, recipe.look)


def _taken(
    view: View, capture: objects.Capture, frame: int, shown: tuple[FoundObject, ...]
) -> tuple[FoundObject, ...]:
    """Return the objects that get a row: those that are named, or the best."""
    if view.maps not in ("auto", *rankings()):
        wanted = numbers(view.maps)
        if wanted is None:
            raise InputError(
                f"{view.maps[:40]!r} are not objects; give their numbers like 0,2 or 1-4, or auto."
            )
        return tuple(objects.chosen(capture, number, frame) for number in wanted)
    if not shown:
        best = objects.found(capture, frame, 0.0)[:1]
        has = f"; the best one scores {best[0].score:.2f}" if best else ""
        raise InputError(
            f"No object scores {objects.SHOWN_SCORE:g} or more in this picture{has}. Name objects "
            "by their numbers, or take another picture."
        )
    return shown[: view.count]


def _found_panel(placed: Scene, listed: tuple[FoundObject, ...], recipe: Recipe) -> Panel:
    geometry = placed.shots[0].geometry
    crop = crop_of(placed.clip, geometry, placed.reference, recipe.layout)
    return Panel(Picture(placed.frame, crop, objects=listed), INPUT)
