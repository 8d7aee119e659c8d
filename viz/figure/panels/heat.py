"""Panels with heat over pictures: the presets parts, frames, heatmaps, arrows and groups."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from errors import InputError
from models.blocks.layout import Grid
from viz.figure import resolve
from viz.figure.panels.pictures import (
    INPUT,
    Item,
    frame_head,
    heat_panel,
    input_panel,
    truth_panel,
)
from viz.figure.panels.sheet import Panel, Row, Spot
from viz.figure.recipe.recipe import Layout, Recipe, Reference
from viz.figure.resolve import Scene, Shot
from viz.rendering import heat, overlay
from viz.types import AttentionMap, Look, moment

UNION = "CGNL: the largest of its channels at every cell"
Choice = Callable[[Shot], list[AttentionMap]]


def parts(found: Sequence[Scene], recipe: Recipe, _frames: object) -> list[Row]:
    """Fig. 5 of Yue et al. 2018: input | NL with white boxes | CGNL channels | parts; a row a
    photo."""
    numbers = {name: k for k, name in enumerate(part_names(recipe.references))}
    looks = _looks(found, recipe, lambda shot: list(shot.maps))
    with_parts = any(scene.reference.parts for scene in found)
    rows = []
    for scene in found:
        panels: list[Panel | None] = (
            [input_panel(scene, recipe)] if recipe.layout.input_panel else []
        )
        items = [Item(shot, m, m.label, looks[id(shot)]) for shot in scene.shots for m in shot.maps]
        panels += [heat_panel(scene, item, scene.reference.frame, recipe) for item in items]
        if with_parts:
            panels.append(truth_panel(scene, recipe, numbers))
        rows.append(Row(scene.reference.label, tuple(panels), **_told(items)))
    return rows


def frames(found: Sequence[Scene], recipe: Recipe, only: tuple[int, ...] | None) -> list[Row]:
    """Fig. 1 and 6 of Yue et al. 2018 and the NL paper's arrows: a row a method, a column a frame.

    A still picture is one row of its own: the input, then every method.
    """
    return _framed(found, recipe, only, _one_map(recipe.layout))


def groups(found: Sequence[Scene], recipe: Recipe, only: tuple[int, ...] | None) -> list[Row]:
    """Every group of the CGNL blocks: groups x frames; of a still picture side by side."""
    blocks = [replace(one, shots=tuple(s for s in one.shots if not s.is_nl)) for one in found]
    if not any(one.shots for one in blocks):
        raise InputError(
            "The preset groups shows CGNL blocks, and none of the networks has one; choose a CGNL "
            "network, or the preset heatmaps."
        )
    with_groups = [one for one in blocks if one.shots]
    return _framed(with_groups, recipe, only, lambda shot: list(shot.groups))


def part_names(references: Iterable[Reference]) -> tuple[str, ...]:
    """Return the names of all ground-truth parts, in the order in which they first come."""
    return tuple(dict.fromkeys(part.name for one in references for part in one.parts))


def _one_map(layout: Layout) -> Choice:
    """Return what chooses the maps of a shot that get a row; [] stands for their union."""

    def choose(shot: Shot) -> list[AttentionMap]:
        if layout.cgnl == "each" or shot.is_nl:
            return list(shot.maps)
        pinned = None if layout.cgnl == "union" else shot.pinned()
        return [] if pinned is None else [pinned]

    return choose


def _framed(
    found: Sequence[Scene], recipe: Recipe, only: tuple[int, ...] | None, choose: Choice
) -> list[Row]:
    looks = _looks(found, recipe, lambda shot: choose(shot) or list(shot.maps))
    rows: list[Row] = []
    for scene in found:
        items = [item for shot in scene.shots for item in _items(shot, choose, looks[id(shot)])]
        if len(scene.clip.frames) == 1:
            rows.append(_still_row(scene, items, recipe))
            continue
        shown = shown_frames(scene, recipe.layout.most_frames) if only is None else only
        if recipe.layout.input_panel:
            plain = tuple(input_panel(scene, recipe, k) for k in shown)
            rows.append(Row(_join(scene.reference.label, INPUT), plain))
        rows += [_method_row(scene, item, shown, recipe) for item in items]
    return rows


def _items(shot: Shot, choose: Choice, look: Look) -> list[Item]:
    chosen = choose(shot)
    if not chosen:
        joined = resolve.union(shot.maps, [look] * len(shot.maps))
        whole = replace(look, normalise="fixed", fixed_range=(0.0, 1.0))
        if not joined.values.any():  # nothing but constant maps: as one of them
            whole = replace(look, normalise="clip")
        return [Item(shot, joined, shot.title, whole)]
    named = len(chosen) > 1 or not shot.is_nl
    return [Item(shot, m, f"{shot.title} {m.label}" if named else shot.title, look) for m in chosen]


def _still_row(scene: Scene, items: list[Item], recipe: Recipe) -> Row:
    panels = [heat_panel(scene, item, 0, recipe) for item in items]
    if recipe.layout.input_panel:
        panels.insert(0, input_panel(scene, recipe))
    first = len(panels) - len(items)
    arrows = [
        (replace(start, column=first + k), replace(end, column=first + k))
        for k, item in enumerate(items)
        for start, end in _arrows(scene, item, (0,))
    ]
    return Row(scene.reference.label, tuple(panels), tuple(arrows), **_told(items))


def _method_row(scene: Scene, item: Item, shown: Sequence[int], recipe: Recipe) -> Row:
    panels = tuple(heat_panel(scene, item, k, recipe, frame_head(scene, k), "") for k in shown)
    label = _join(scene.reference.label, item.name)
    return Row(label, panels, tuple(_arrows(scene, item, shown)), **_told([item]))


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


def _looks(found: Sequence[Scene], recipe: Recipe, maps: Choice) -> dict[int, Look]:
    """Return the look of every shot, by id: with one range for the maps that share a scale."""
    look, scale = recipe.look, recipe.layout.scale
    shots = [(row, k, shot) for row, one in enumerate(found) for k, shot in enumerate(one.shots)]
    if scale == "map" or look.normalise == "fixed":
        return {id(shot): look for _, _, shot in shots}
    shared: dict[object, list[AttentionMap]] = {}
    for row, k, shot in shots:
        shared.setdefault((row, k) if scale == "row" else k, []).extend(maps(shot))
    ranges = {key: _span(some) for key, some in shared.items()}
    return {
        id(shot): _ranged(look, ranges[(row, k) if scale == "row" else k]) for row, k, shot in shots
    }


def _span(maps: Sequence[AttentionMap]) -> tuple[float, float]:
    values = np.concatenate([m.values.ravel() for m in maps])
    finite = values[np.isfinite(values)].astype(np.float64)
    return (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)


def _ranged(look: Look, span: tuple[float, float]) -> Look:
    low, high = span
    if high - low <= heat.ROUNDING * max(abs(low), abs(high)):
        return look
    return replace(look, normalise="fixed", fixed_range=span)


def _told(items: Sequence[Item]) -> dict[str, Any]:
    """Return what 0 and 1 of a row's heat stand for, where all agree, and what a union is."""
    note = UNION if any(i.attention.meaning == "largest of scaled maps" for i in items) else ""
    spans = {(item.heat.low, item.heat.high) for item in items}
    # Scaled by the frame, each has ends of its own.
    framed = any(i.look.normalise == "frame" and len(i.heat.values) > 1 for i in items)
    low, high = spans.pop() if len(spans) == 1 and not framed else (None, None)
    return {"low": low, "high": high, "note": note}


def _arrows(scene: Scene, item: Item, shown: Sequence[int]) -> list[tuple[Spot, Spot]]:
    """Return arrows from the reference to the highest values in the frames that are shown.

    In a frame that stands alone (of a movie) they start where the reference is in its own.
    """
    if not item.look.arrows or item.heat.constant:
        return []
    if scene.reference.frame not in shown and len(shown) > 1:
        return []
    count = len(scene.clip.frames)
    values = item.attention.values[: 1 if count == 1 else None]
    grid, columns = Grid(*values.shape), {frame: k for k, frame in enumerate(shown)}
    geometry, shot = item.shot.geometry, item.shot
    x, y = geometry.cell_centre(shot.cell.y, shot.cell.x, shot.block.query_grid)
    start = Spot(columns.get(scene.reference.frame, 0), x, y)
    ends = []
    for cell in overlay.strongest(replace(item.attention, values=values), item.look.arrows):
        frame = overlay.frame_of(cell.t, count, grid.frames)
        frame = frame if frame in columns else _same_moment(cell.t, count, grid, shown)
        if frame is not None:
            where = geometry.cell_centre(cell.y, cell.x, grid)
            ends.append((start, Spot(columns[frame], *where)))
    return ends


def _same_moment(t: int, count: int, grid: Grid, shown: Sequence[int]) -> int | None:
    return next((k for k in shown if moment(k, count, grid.frames) == t), None)
