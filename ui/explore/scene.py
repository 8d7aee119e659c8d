"""From settings to what is on the page: captures, the reference, its shots, and their words."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import streamlit as st

from errors import InputError, plural
from ui import state
from ui.bound import worded
from ui.components.picker.payload import heading as heading_of
from ui.explore import answers
from ui.explore.settings.map_choice import class_key
from ui.explore.sidebar import Settings
from ui.guard import guarded, plain
from ui.session import loaders, reference_patch
from ui.session.media import second
from ui.session.naming import medium_of, network_of
from viz.attention import queries
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice
from viz.attention.detection import head_regions, objects
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import kind_of, selection
from viz.attention.predictions import answered_by, prediction_words, top_classes
from viz.figure import resolve
from viz.figure.recipe.recipe import View
from viz.figure.resolve import Scene, Shot
from viz.types import AttentionMap, Clip, moment


def scene(clip: Clip, settings: Settings) -> Scene | None:
    """Run what has not been run yet; return what can be shown of the reference, cells linked.

    None where no network can be shown.
    """
    captured = []
    for view in settings.views:
        with guarded():
            captured.append((view, loaders.captured(clip, view.network.id, view.mode, view.size)))
    finder = next((one for _view, one in captured if objects.is_detector(one)), None)
    number, frame = _object(finder, clip, [view for view, one in captured if one is finder])
    opened = []
    for view, capture in captured:
        with guarded():
            region = number if capture is finder else None
            opened.append((view, capture, _block(view, capture, region, frame)))
    if not opened:
        return None
    _, lead, lead_block = opened[0]
    views = [view for view, *_ in opened]
    reference = reference_patch.current(clip, lead, lead_block, views, number)
    over = objects.chosen(finder, number, frame) if reference.mean else None
    shots = []
    for view, capture, block in opened:
        with guarded():
            answer = answers.capture_of(clip, view, capture)
            named = _shown(settings, view, capture, block, answer or capture)
            if answer or second.in_use(clip):  # else the rank says the same
                named = answers.listed(named, block, answer or capture)
            cell = queries.nearest_cell(capture, block, reference.at, reference.frame)
            shot = Shot(
                named, capture.model, capture, block, cell, over=over, frame=reference.frame,
                answer=answer,
            )  # fmt: skip
            # Asked for here, where what cannot be is said in one line.
            shots += [shot] if shot.maps else []
    views = tuple(shot.view for shot in shots)
    if not shots:
        return None
    return _beside(Scene(replace(reference, views=views), clip, tuple(shots)))


def _shown(
    settings: Settings, view: View, capture: Capture, block: BlockCapture, answering: Capture
) -> View:
    """Return a view with the maps of its block that are listed and shown large."""
    named = _named(view, capture, block)
    if block.kind in settings.by_class:
        named = _by_class(named, capture, block, answering)
    return _offered(named, block)


def _beside(found: Scene) -> Scene:
    """Return the scene with the second picture, where there is one and every view has a map from
    one into the other; else say why not."""
    other = second.in_use(found.clip)
    if other is None:
        return found
    with guarded():
        views = [shot.view for shot in found.shots]
        captures = [loaders.captured(other, v.network.id, v.mode, v.size) for v in views]
        whole = replace(found, reference=replace(found.reference, second=medium_of(other)))
        pair = resolve.beside(whole, other, captures)
        firsts = tuple(map(_titled, pair.shots))
        there = tuple(
            replace(_titled(one), answer=answers.capture_of(other, one.view, one.capture))
            for one in pair.second.shots
        )
        return replace(
            pair, reference=replace(pair.reference, views=tuple(one.view for one in firsts)),
            shots=firsts, second=replace(pair.second, shots=there),
        )  # fmt: skip
    return found


def _titled(shot: Shot) -> Shot:
    """Return a shot under the title of the kind that it is shown as."""
    return replace(shot, view=_named(shot.view, shot.capture, shot.block))


def _object(finder: Capture | None, clip: Clip, views: list[View]) -> tuple[int | None, int]:
    """Return the object that is the reference, and its frame; None where it is a patch, or where
    the detector in use has no such object.

    A head's block sees one object at a time: there it is the one at the patch.
    """
    number, frame = reference_patch.object_of(clip)
    if finder is None:
        return None, frame
    if number is not None and number < len(objects.found(finder, frame, 0.0)):
        return number, frame
    shown = (finder.blocks.get(view.block) for view in views)
    if not any(block is not None and head_regions.is_of_head(block) for block in shown):
        return None, frame
    kept = state.REFERENCE.get()
    at = (clip.width / 2, clip.height / 2) if kept is None else kept.at
    return objects.number_at(finder, at, frame), frame


def _block(view: View, capture: Capture, region: int | None, frame: int) -> BlockCapture:
    """Return the block of a view; a head's as it saw the reference's object, else the one at its
    patch."""
    kept = state.REFERENCE.get()
    if region is None and kept is not None:
        return queries.block_at(capture, view.block, view.kind, kept.at, kept.frame)
    return queries.block_of(capture, view.block, view.kind, region, frame)


def _named(view: View, capture: Capture, block: BlockCapture) -> View:
    """Return a view with the hash of its network's weights, and the title that pages show."""
    title = f"{kind_of(block).title} · {view.network.id} · {view.block}"
    return replace(view, network=network_of(capture.model), label=title)


def _by_class(view: View, capture: Capture, block: BlockCapture, answering: Capture) -> View:
    """Return a view of the maps that speak most for a class of the answer, which is chosen here."""
    model = capture.model
    classes = [index for index, _share in top_classes(answering)]
    if not classes:
        raise InputError(
            f"{model.id} has {prediction_words(answering)}; rank its maps another way."
        )
    with st.sidebar:
        chosen = worded(
            f"Class for the evidence, {model.id}", [str(index) for index in classes],
            class_key(model.id), lambda number: model.class_name(int(number)),
            help="One backward pass a class, on request.",
        )  # fmt: skip
    listed = loaders.evidence(capture, block, int(chosen), view.count)
    return replace(view, maps=",".join(map(str, listed)))


def _offered(view: View, block: BlockCapture) -> View:
    """Return a view that shows one of its maps large: the first, where the block has not the one
    that is wanted, which is said of a map that was kept."""
    kind = kind_of(block)
    offered = kind.choices(block, selection(view.maps, view.count))
    if view.shown in offered:
        return view
    if view.shown is not None and _is_kept(kind, view.shown):
        if view.shown.number < kind.parts(block):
            return view
        st.warning(
            f"{plain(f'{view.shown} is not a {kind.part} of {block.label}')}; it has "
            f"{plural(kind.part)} 0 to {kind.parts(block) - 1}. The first of the list is shown."
        )
    return replace(view, shown=None)


def _is_kept(kind: MapKind, one: MapChoice) -> bool:
    """Tell whether a choice is one of a kind's ranked maps by its number."""
    return one.part == kind.part and not one.by_rank


def headings(found: Scene, settings: Settings) -> Mapping[int, str]:
    """Return the words over ranked maps by shot, where a class was chosen for them, or they are
    those of an answer."""
    found_words = {}
    for k, shot in enumerate(found.shots):
        if shot.kind.name in settings.by_class:
            index = int(class_key(shot.model.id).get())
            words = f"{plural(shot.kind.part)} by {shot.kind.class_ranking}"
            found_words[k] = f"{words} for {shot.model.class_name(index)}"
            continue
        asked = settings.selection_of(shot.view)
        if asked and shot.selection.listed and answered_by(shot.kind, asked):
            found_words[k] = heading_of(shot.kind, asked) + answers.words(found, shot)
    return found_words


def ends(found: Scene) -> tuple[float, float]:
    """Return lowest and highest value of the first network's map, to four digits."""
    values = found.shots[0].shown.values
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    return float(f"{low:.4g}"), float(f"{high:.4g}")


def value_table(found: Scene) -> dict[str, list[str]]:
    """Return the table of pinned values by its columns: what each line is, then each network."""
    rows = [value_row(found, shot) for shot in found.shots]
    titles = [row.pop("Network") for row in rows]
    columns = {
        title if titles.count(title) == 1 else f"{title} ({k})": list(row.values())
        for k, (title, row) in enumerate(zip(titles, rows, strict=True), 1)
    }
    return {"At the reference": list(rows[0]), **columns}


def value_row(found: Scene, shot: Shot) -> dict[str, str]:
    """Return the pinned values of one network, float32 as it gave them."""
    attention, cell, geometry = shot.shown, shot.cell, shot.geometry
    frames, frame = len(found.clip.frames), found.reference.frame
    x, y = geometry.cell_centre(cell.y, cell.x, shot.block.query_grid)
    row = {"Network": shot.title, "Map": shot.kind.caption(shot.capture, attention)}
    if frames > 1:
        row["Frame"] = str(frame)
    return {
        **row,
        "Row, column": f"{cell.y}, {cell.x}" if shot.kind.referenced else "no reference",
        "Pixel": f"{int(x)}, {int(y)}",  # the one that it lies in, as the readout has it
        **_values(attention, shot, (x, y), moment(frame, frames, len(attention.values))),
        "Meaning": attention.meaning,
    }


def _values(attention: AttentionMap, shot: Shot, at: tuple[float, float], t: int) -> dict[str, str]:
    """Return value and rank at the reference, lowest and highest of a map."""
    values = attention.values
    key_grid = shot.block.key_grid
    here = values[t, *shot.geometry.cell_at(*at, key_grid)]
    top_moment, top_row, top_col = np.unravel_index(values.argmax(), values.shape)
    of_moment = f" of moment {top_moment}" if len(values) > 1 else ""
    return {
        "Value": f"{here:.6g}",
        "Rank": f"{int((values > here).sum()) + 1} of {values.size}",
        "Lowest": f"{values.min():.6g}",
        "Highest": f"{values.max():.6g} at {top_row}, {top_col}{of_moment}",
    }


def heading(shot: Shot) -> str:
    """Return a network's name for markdown."""
    return plain(shot.title)
