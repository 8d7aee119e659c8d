"""Panels with heat over pictures: the presets parts, frames, heatmaps, arrows and groups."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from errors import InputError
from viz.attention import matches
from viz.figure import resolve
from viz.figure.panels import arrows as panel_arrows
from viz.figure.panels.panel_rows import Panel, Row
from viz.figure.panels.pictures import (
    INPUT,
    Item,
    caption_of,
    drawable,
    frame_head,
    heat_panel,
    input_panel,
    truth_panel,
)
from viz.figure.recipe.recipe import LONGEST_LABEL, Layout, Recipe, Reference
from viz.figure.resolve import Scene, Shot
from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import AttentionMap

Choice = Callable[[Shot], list[AttentionMap]]


def parts(found: Sequence[Scene], recipe: Recipe, _frames: object) -> list[Row]:
    """Fig. 5 of Yue et al. 2018: input | NL with white boxes | CGNL channels | parts; a row a
    photo."""
    numbers = {name: k for k, name in enumerate(part_names(recipe.references))}
    with_parts = any(scene.reference.parts for scene in found)
    rows = []
    for scene, looks in _with_looks(found, recipe, lambda shot: list(shot.maps)):
        panels: list[Panel | None] = (
            [input_panel(scene, recipe)] if recipe.layout.input_panel else []
        )
        items = _paired(scene, looks, lambda shot, look: [
            Item(shot, one, one.label, look) for one in shot.maps
        ])  # fmt: skip
        frame = scene.reference.frame
        panels += [heat_panel(place, item, frame, recipe) for place, item in items]
        if with_parts:
            panels.append(truth_panel(scene, recipe, numbers))
        rows.append(Row(scene.reference.label, tuple(panels), **_shared(items)))
    return rows


def _paired(
    scene: Scene, looks: Sequence[Look], items: Callable[[Shot, Look], list[Item]]
) -> list[tuple[Scene, Item]]:
    """Return the items of every shot with the scene that they lie in: behind each map the same of
    the second picture, where there is one."""
    found = []
    for k, look in enumerate(looks):
        lines = [
            [(place, item) for item in items(place.shots[k], look)]
            for place in (scene, scene.second)
            if place is not None
        ]
        found += [one for same in zip(*lines, strict=True) for one in same]
    return found


def _shared(items: Sequence[tuple[Scene, Item]]) -> dict[str, Any]:
    return shared_scale([item for _scene, item in items])


def frames(found: Sequence[Scene], recipe: Recipe, only: tuple[int, ...] | None) -> list[Row]:
    """Fig. 1 and 6 of Yue et al. 2018 and the NL paper's arrows: a row a method, a column a frame.

    A still picture is one row of its own: the input, then every method.
    """
    return _framed(found, recipe, only, _one_map(recipe.layout))


def view(found: Sequence[Scene], recipe: Recipe, only: tuple[int, ...] | None) -> list[Row]:
    """What a page shows of references: the large map of every network, and where its patch is."""
    named = [_with_shots(one, lambda shots: tuple(map(_named, shots))) for one in found]
    return _framed(named, recipe, only, _one_map(recipe.layout), where)


def _with_shots(scene: Scene, change: Callable[[tuple[Shot, ...]], tuple[Shot, ...]]) -> Scene:
    """Return a scene, and its second picture, with other shots."""
    second = scene.second and _with_shots(scene.second, change)
    return replace(scene, shots=change(scene.shots), second=second)


def _named(shot: Shot) -> Shot:
    """Return a shot whose title names its network, where the view has no label of its own."""
    name = shot.view.network.id.replace("\\", "/").rpartition("/")[2]
    label = shot.view.label or f"{shot.kind.title} · {drawable(name)}"
    return replace(shot, view=replace(shot.view, label=label[:LONGEST_LABEL]))


def groups(found: Sequence[Scene], recipe: Recipe, only: tuple[int, ...] | None) -> list[Row]:
    """Every group of CGNL blocks (or head): groups x frames; of a still picture side by side."""
    blocks = [
        _with_shots(one, lambda shots: tuple(s for s in shots if s.divisions)) for one in found
    ]
    with_groups = [one for one in blocks if one.shots]
    if not with_groups:
        raise InputError(
            "The preset groups shows the groups of CGNL blocks or the heads of self-attention, and "
            "none of the networks has them; choose such a network, or the preset heatmaps."
        )
    return _framed(with_groups, recipe, only, lambda shot: list(shot.divisions))


def part_names(references: Iterable[Reference]) -> tuple[str, ...]:
    """Return the names of all ground-truth parts, in the order in which they first come."""
    return tuple(dict.fromkeys(part.name for one in references for part in one.parts))


def where(item: Item) -> str:
    """Return which map it is, and its reference: a cell, an object, or the best match of one."""
    cell, over, place = item.shot.cell, item.shot.over, ""
    if over is not None and item.shot.kind.referenced:
        place = drawable(f"mean over {over.words}")
    elif item.shot.has_reference:
        place = f"reference row {cell.y}, column {cell.x}"
    elif item.shot.kind.referenced:
        [(cell, value)] = matches.best(item.attention, 1)
        place = f"best match row {cell.y}, column {cell.x}: {value:.3g}"
    return ", ".join(text for text in (item.caption, place) if text)


def _one_map(layout: Layout) -> Choice:
    """Return what chooses the maps of a shot that get a row; [] stands for their union."""

    def choose(shot: Shot) -> list[AttentionMap]:
        if layout.one_map == "each" or shot.is_single:
            return list(shot.maps)
        shown = None if layout.one_map == "union" else shot.shown
        return [] if shown is None else [shown]

    return choose


def _framed(
    found: Sequence[Scene],
    recipe: Recipe,
    only: tuple[int, ...] | None,
    choose: Choice,
    label: Callable[[Item], str] | None = None,
) -> list[Row]:
    """Return rows of frames; ``label`` says what stands under the map of a still picture, else its
    caption does."""
    rows: list[Row] = []
    for scene, looks in _with_looks(found, recipe, lambda shot: choose(shot) or list(shot.maps)):
        items = _paired(scene, looks, lambda shot, look: _items(shot, choose, look))
        if len(scene.clip.frames) == 1:
            rows.append(_still_row(items, recipe, label))
            continue
        shown = shown_frames(scene, recipe.layout.most_frames) if only is None else only
        if recipe.layout.input_panel:
            plain = tuple(input_panel(scene, recipe, k) for k in shown)
            rows.append(Row(_join(scene.reference.label, INPUT), plain))
        rows += [_method_row(scene, item, shown, recipe) for _scene, item in items]
    return rows


def _items(shot: Shot, choose: Choice, look: Look) -> list[Item]:
    chosen = choose(shot)
    if not chosen:
        joined = resolve.union(shot.maps, look)
        whole = replace(look, normalise="fixed", fixed_range=(0.0, 1.0), display="linear")
        if not joined.values.any():  # nothing but constant maps: as one of them
            whole = replace(look, normalise="clip")
        return [Item(shot, joined, shot.title, whole)]
    named = len(chosen) > 1 or not shot.is_single

    def name(one: AttentionMap) -> str:
        return f"{shot.title} {caption_of(shot, one)}" if named else shot.title

    return [Item(shot, one, name(one), look) for one in chosen]


def _still_row(
    items: list[tuple[Scene, Item]], recipe: Recipe, label: Callable[[Item], str] | None
) -> Row:
    (scene, _item), *_others = items
    panels = [
        heat_panel(place, item, 0, recipe, label=label(item) if label else None)
        for place, item in items
    ]
    if recipe.layout.input_panel:
        panels.insert(0, input_panel(scene, recipe))
    # A page marks the best matches of a second picture; no arrow leads from one canvas to another.
    arrows = panel_arrows.of_pictures(items, len(panels) - len(items), across=label is None)
    return Row(scene.reference.label, tuple(panels), tuple(arrows), **_shared(items))


def _method_row(
    scene: Scene,
    item: Item,
    shown: Sequence[int],
    recipe: Recipe,
) -> Row:
    panels = tuple(heat_panel(scene, item, k, recipe, frame_head(scene, k), "") for k in shown)
    arrows = tuple(panel_arrows.over_frames(scene, item, shown))
    named = _join(scene.reference.label, item.name)
    return Row(named, panels, arrows, **shared_scale([item]), one_map=True)


def shown_frames(scene: Scene, most: int) -> tuple[int, ...]:
    """Return at most ``most`` frames of a clip, evenly spaced, the reference's among them."""
    count, kept = len(scene.clip.frames), scene.reference.frame
    if count <= most:
        return tuple(range(count))
    spaced = np.linspace(0, count - 1, most).round().astype(int).tolist()
    nearest = min(range(most), key=lambda k: abs(spaced[k] - kept))
    spaced[nearest] = kept
    return tuple(sorted(set(spaced)))


def _join(*names: str) -> str:
    return ", ".join(name for name in names if name)


def _with_looks(
    found: Sequence[Scene], recipe: Recipe, maps: Choice
) -> list[tuple[Scene, list[Look]]]:
    """Return every scene with the look of each of its shots: with one range for the maps that
    share a scale."""
    look, scale = recipe.look, recipe.layout.scale
    if scale == "map" or look.normalise == "fixed":
        return [(scene, [look] * len(scene.shots)) for scene in found]
    shared: dict[tuple[int, ...], list[AttentionMap]] = {}
    keys = [
        [(row, k) if scale == "row" else (k,) for k in range(len(scene.shots))]
        for row, scene in enumerate(found)
    ]
    for scene, own in zip(found, keys, strict=True):
        for shot, key in zip(scene.shots, own, strict=True):
            shared.setdefault(key, []).extend(maps(shot))
        for shot, key in zip(scene.second.shots if scene.second else (), own, strict=False):
            shared[key].extend(maps(shot))
    looks = {key: _ranged(look, _span(some, look)) for key, some in shared.items()}
    return [(scene, [looks[key] for key in own]) for scene, own in zip(found, keys, strict=True)]


def _span(maps: Sequence[AttentionMap], look: Look) -> tuple[float, float]:
    finite = np.concatenate([heat.counted(one, look) for one in maps])
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _ranged(look: Look, span: tuple[float, float]) -> Look:
    low, high = span
    if high - low <= heat.ROUNDING * max(abs(low), abs(high)):
        return look
    return replace(look, normalise="fixed", fixed_range=span)


def shared_scale(items: Sequence[Item]) -> dict[str, Any]:
    """Return what 0 and 1 of a row's heat stand for, where all agree, and what a union is."""
    note = next((item.shot.kind.union_words for item in items if item.is_union), "")
    spans = {item.span for item in items}
    low, high = spans.pop() if len(spans) == 1 else (None, None)
    return {"low": low, "high": high, "note": note}
