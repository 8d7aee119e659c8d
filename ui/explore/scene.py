"""From settings to what is on the page: captures, linked references, panels, saved views."""

from dataclasses import dataclass

import numpy as np
import streamlit as st

from models.loaded import LoadedModel
from models.specs.block import CGNLSpec
from ui.components.picker.payload import Panel
from ui.explore.sidebar import Chosen, Settings
from ui.guard import guarded, plain
from ui.session import loaders, reference_patch
from ui.session.medium import key_of
from viz.attention import pipeline
from viz.attention.channel_maps import check_channel
from viz.attention.pipeline import Channels
from viz.rendering.save import View
from viz.types import AttentionMap, BlockCapture, Capture, Cell, CGNLCapture, Clip, moment

TOP = 5


@dataclass(frozen=True, eq=False)
class Shown:
    """One network on the page, with everything asked of it."""

    chosen: Chosen
    model: LoadedModel
    capture: Capture
    block: BlockCapture
    key: tuple[str, ...]
    frame: int
    cell: Cell
    channels: Channels
    how: str


def scene(clip: Clip, settings: Settings) -> list[Shown]:
    """Run what has not been run yet; return the networks that can be shown, references linked."""
    opened = []
    for chosen in settings.networks:
        with guarded():
            capture = loaders.captured(clip, chosen.name, settings.mode, settings.size)
            opened.append((chosen, capture, pipeline.block_of(capture, chosen.block)))
    if not opened:
        return []
    _, lead, lead_block = opened[0]
    pinned = reference_patch.current(clip, lead, lead_block.query_grid)
    shown = []
    for chosen, capture, block in opened:
        with guarded():
            model = loaders.network(chosen.name)
            key = (key_of(clip), model.sha256, settings.mode, str(settings.size), chosen.block)
            here = reference_patch.linked_cell(
                lead, lead_block.query_grid, pinned, capture, block.query_grid
            )
            channels, how = _channels(model, capture, block, key, settings)
            shown.append(
                Shown(chosen, model, capture, block, key, pinned.frame, here, channels, how)
            )
    return shown


def _channels(
    model: LoadedModel,
    capture: Capture,
    block: BlockCapture,
    key: tuple[str, ...],
    settings: Settings,
) -> tuple[Channels, str]:
    wanted = settings.channels
    if not isinstance(block, CGNLCapture):
        return wanted, ""
    for channel in wanted.listed:
        check_channel(block, channel)
    if settings.class_evidence:
        index = _class_choice(model, capture)
        listed = loaders.evidence(model.id, block, key, index, wanted.count)
        return Channels(listed=listed), f"channels by class evidence for {model.class_name(index)}"
    return wanted, "channels as listed" if wanted.listed else f"channels by {wanted.ranking}"


def _class_choice(model: LoadedModel, capture: Capture) -> int:
    best = top_classes(capture)
    return st.sidebar.selectbox(
        f"Class for the evidence, {model.id}",
        [index for index, _share in best],
        format_func=lambda index: model.class_name(index),
        key=f"class-{model.id}",
        help="One backward pass a class, on request.",
    )


def top_classes(capture: Capture) -> list[tuple[int, float]]:
    """Return the five most probable classes and their softmax shares."""
    shares, indices = capture.logits.softmax(0).topk(min(TOP, len(capture.logits)))
    return list(zip(indices.tolist(), shares.tolist(), strict=True))


def panel(shown: Shown) -> Panel:
    """Return what the picker draws of a network."""
    index, share = top_classes(shown.capture)[0]
    kind = "CGNL" if isinstance(shown.chosen.spec.block, CGNLSpec) else "NL"
    return Panel(
        key="/".join(shown.key),
        title=f"{kind} · {shown.chosen.name} · {shown.chosen.block}",
        prediction=f"{shown.model.class_name(index)} {share:.2f}",
        geometry=shown.capture.geometry,
        block=shown.block,
        cell=shown.cell,
        frame=shown.frame,
        channels=shown.channels,
        how=shown.how,
    )


def view(shown: Shown, focus: str) -> View:
    """Return the float32 maps of a network's pinned reference, groups included."""
    maps = pipeline.maps_at(shown.block, shown.cell, shown.channels)
    large = maps[0]
    if isinstance(shown.block, CGNLCapture):
        groups = pipeline.maps_at(shown.block, shown.cell, Channels(groups=True))
        large = _focused(maps, groups, focus)
        maps = [*maps, *groups]
    return View(
        shown.model.id, shown.model.sha256, panel(shown).title, shown.how or "NL row",
        shown.capture.geometry, shown.block.query_grid, shown.cell, tuple(maps), large,
        frame=shown.frame,
    )  # fmt: skip


def _focused(maps: list[AttentionMap], groups: list[AttentionMap], focus: str) -> AttentionMap:
    kind, _, number = focus.partition(" ")
    index = int(number) if number.isdecimal() else 1
    if kind == "group":
        return groups[index] if index < len(groups) else maps[0]
    return maps[index - 1] if 1 <= index <= len(maps) else maps[0]


def value_row(view: View, frames: int = 1) -> dict[str, str]:
    """Return one line of the table of pinned values, float32 as the network gave them.

    ``frames`` are those of the clip.
    """
    values = view.shown.values
    x, y = view.geometry.cell_centre(view.cell.y, view.cell.x, view.grid)
    key_grid = view.grid._replace(rows=values.shape[1], cols=values.shape[2])
    row, col = view.geometry.cell_at(x, y, key_grid)
    here = values[moment(view.frame, frames, len(values)), row, col]
    top_moment, top_row, top_col = np.unravel_index(values.argmax(), values.shape)
    of_moment = f" of moment {top_moment}" if len(values) > 1 else ""
    return {
        "Network": view.title,
        "Map": view.shown.label,
        **({"Frame": str(view.frame)} if frames > 1 else {}),
        "Row, column": f"{view.cell.y}, {view.cell.x}",
        "Pixel": f"{x:.0f}, {y:.0f}",
        "Value at the reference": f"{here:.6g}",
        "Rank": f"{int((values > here).sum()) + 1} of {values.size}",
        "Lowest": f"{values.min():.6g}",
        "Highest": f"{values.max():.6g} at {top_row}, {top_col}{of_moment}",
        "Meaning": view.shown.meaning,
    }


def top_table(shown: Shown) -> list[dict[str, object]]:
    """Return the rows of the top-5 table."""
    return [
        {"Class": shown.model.class_name(index), "Share": share}
        for index, share in top_classes(shown.capture)
    ]


def heading(shown: Shown) -> str:
    """Return a network's name for markdown."""
    return plain(panel(shown).title)
