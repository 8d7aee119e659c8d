"""What the picker gets: one blob with the frames, the colour table and the factors of each block.

Layout: uint32 header length, JSON header, then buffers on multiples of 4 bytes; the header names
each buffer by {offset, length, type}. Factors are float16 over their largest size ("peak"). A block
of more than ``LIVE_LIMIT`` positions, and a kind that computes nothing in the browser, send maps.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from torch import Tensor

from errors import counted, plural
from ui.components.picker.canvas import canvas_frames, canvas_geometry, canvas_size
from ui.components.picker.found_objects import FoundOnPanels, placer
from viz.attention.captures import BlockCapture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.kind import BrowserFactors, MapKind
from viz.attention.predictions import prediction_words, size_words, top_classes
from viz.figure.resolve import Scene, Shot
from viz.rendering.colormaps import colour_table
from viz.rendering.look import Look
from viz.rendering.marks import pixel_span
from viz.types import Clip

LIVE_LIMIT = 6272
"""Positions of a clip (8 x 28 x 28) up to which the browser computes maps as the pointer moves."""

NO_HEADINGS: Mapping[int, str] = {}
NOTHING_FOUND = FoundOnPanels()


class _Buffers:
    """Collects arrays and says where each lies."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.size = 0

    def add(self, content: bytes) -> dict[str, int]:
        place = {"offset": self.size, "length": len(content)}
        padded = content + bytes(-len(content) % 4)
        self.parts.append(padded)
        self.size += len(padded)
        return place

    def halves(self, values: Tensor) -> dict[str, Any]:
        peak = max(float(values.abs().max()), 1e-30)
        place = self.add((values / peak).half().cpu().numpy().tobytes())
        return place | {"type": "half", "peak": peak}

    def heights(self, values: np.ndarray) -> dict[str, Any]:
        """Add a map as float16 between its lowest and highest value, so that contrast is kept
        where a map is nearly constant."""
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        span = high - low or 1.0
        content = ((values.astype(np.float64) - low) / span).astype(np.float16).tobytes()
        return self.add(content) | {"type": "height", "low": low, "span": span}

    def exact(self, values: np.ndarray) -> dict[str, Any]:
        return self.add(values.astype(np.float32).tobytes()) | {"type": "float"}

    def floats(self, values: Tensor) -> dict[str, Any]:
        return self.exact(values.float().cpu().numpy())


def is_live(clip: Clip, block: BlockCapture) -> bool:
    """Tell whether maps follow the pointer; else they are computed for the pinned reference."""
    return len(clip.frames) == 1 or block.query_grid.cells <= LIVE_LIMIT


def pack(
    found: Scene,
    look: Look,
    headings: Mapping[int, str] = NO_HEADINGS,
    objects: FoundOnPanels = NOTHING_FOUND,
) -> bytes:
    """Return the blob for a scene of one or two networks in a look.

    ``headings`` replace the words over the ranked maps of a shot, by its number; ``objects`` are
    what detectors found.
    """
    clip, buffers = found.clip, _Buffers()
    scenes = (found, found.second) if found.second else (found,)
    panels = []
    for k, shots in enumerate(zip(*(one.shots for one in scenes), strict=True)):
        for picture, (place, shot) in enumerate(zip(scenes, shots, strict=True)):
            found_there = () if picture else objects.drawn.get(k, ())
            masks = () if picture else objects.over.get(k, ())
            words = {
                "heading": headings.get(k, heading(shot.kind, shot.selection)),
                "objects": [one.packed(placer(clip, canvas_size(clip))) for one in found_there],
                "over": [one.packed(buffers.floats, buffers.heights) for one in masks],
            }
            where = {"picture": picture, "of": len(panels) - 1 if picture else None}
            panels.append(_panel(place, shot, buffers) | words | where)
    header = {
        "pictures": [_picture(one.clip, buffers) for one in scenes],
        "original": {"width": clip.width, "height": clip.height},
        "look": asdict(look),
        "pointer": objects.pointer,
        "masks": objects.masks,
        "finder": objects.lead * len(scenes),
        "table": buffers.add(colour_table(look.colormap).tobytes()),
        "panels": panels,
    }
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 4) % 4)
    return len(text).to_bytes(4, "little") + text + b"".join(buffers.parts)


def _picture(clip: Clip, buffers: _Buffers) -> dict[str, object]:
    """Return what the canvas draws a clip with: sides, frames, times, and what tells it apart."""
    frames = canvas_frames(clip)
    width, height = canvas_size(clip)
    digest = hashlib.sha256(b"".join(hashlib.sha256(frame).digest() for frame in frames))
    return {
        "width": width,
        "height": height,
        "hash": digest.hexdigest(),
        "type": "image/png" if len(frames) == 1 else "image/jpeg",
        "frames": [buffers.add(frame) for frame in frames],
        "times": list(clip.timestamps),
    }


def heading(kind: MapKind, wanted: Selection) -> str:
    """Return the words over ranked maps: how those of a selection were chosen."""
    if not kind.part:
        return ""
    ranking = wanted.ranking or kind.rankings[0]
    if ranking == "one per group":
        return kind.ranking_words.get(ranking, ranking)
    how = "as listed" if wanted.listed else f"by {kind.ranking_words.get(ranking, ranking)}"
    return f"{plural(kind.part)} {how}"


def _panel(found: Scene, shot: Shot, buffers: _Buffers) -> dict[str, Any]:
    """Return what the canvas gets of one network; its kind says which arithmetic draws it."""
    clip, block = found.clip, shot.block
    geometry = canvas_geometry(shot.geometry, clip)
    rows, cols = pixel_span(geometry)
    names = _names(shot)
    factors = shot.kind.browser(block, shot.selection)
    live = is_live(clip, block) or not shot.kind.referenced
    made = (
        _computed(factors, buffers)
        if live and factors.arithmetic != "static"
        else _static(shot, names, factors.options.get("label"), buffers)
    )
    return {
        "key": _key(found, shot),
        "title": f"{shot.kind.title} in {clip.name}" if shot.picture == "B" else shot.title,
        "prediction": prediction_words(shot.answering) + _doubts(shot) + _held(shot),
        "geometry": asdict(geometry),
        "span": {"top": rows.start, "bottom": rows.stop, "left": cols.start, "right": cols.stop},
        "grid": block.query_grid._asdict(),
        "keyGrid": block.key_grid._asdict(),
        "cell": asdict(shot.cell),
        "object": None if shot.over is None else shot.over.number,
        "region": found.reference.object if block.geometry is not None else None,
        "frame": found.reference.frame,
        "still": not live,
        "referenced": shot.has_reference,
        "matched": shot.kind.referenced and not shot.has_reference,
        "names": names,
        "part": shot.kind.part,
        "shown": _shown(shot, names),
        "divisions": shot.kind.division_words(block),
        **made,
    }


def _doubts(shot: Shot) -> str:
    """Say what a prediction is worth: a clip network knows only the classes of its training, and
    another size than that of the training changes answers: at a larger one they are those at the
    training's."""
    if shot.capture.detections or not top_classes(shot.answering):
        return ""
    many = shot.model.spec.preprocessing.frames > 1
    known = counted(len(shot.capture.logits), "class")
    words = f" · knows only the {known} of its training" if many else ""
    return words + size_words(shot.answering, shot.view.size)


def _held(shot: Shot) -> str:
    """Say of a clip network that it sees a picture held still."""
    still = shot.capture.frames == 1 and shot.block.key_grid.frames > 1
    return " · a picture held still" if still else ""


def _names(shot: Shot) -> list[str]:
    """Return the maps on offer; a kept one, which is named by its number, comes behind the ranked
    ones."""
    offered = shot.kind.choices(shot.block, shot.selection)
    kept = shot.view.shown
    ranked = sum(one.by_rank for one in offered)
    keeps = kept is not None and kept.part == shot.kind.part and kept not in offered
    extra = [kept] if keeps and not kept.by_rank else []
    return [str(one) for one in (*offered[:ranked], *extra, *offered[ranked:])]


def _key(found: Scene, shot: Shot) -> str:
    """Return what tells the factors of a shot from others; of two pictures, by its place."""
    view, medium = shot.view, found.reference.medium
    frames = f"{'-'.join(map(str, medium.frames))}/{medium.levels}"
    network = f"{view.network.sha256}/{shot.model.spec}"
    pair = f"{shot.picture}/{second.sha256}" if (second := found.reference.second) else ""
    where = f"{view.mode}/{view.size}/{view.block}/{view.kind}/{pair}"
    return f"{medium.sha256}/{frames}/{network}/{where}"


def _shown(shot: Shot, names: list[str]) -> str:
    """Return the map that is large at first: the view's, where it is on offer."""
    wanted = str(shot.view.shown) if shot.view.shown else ""
    first = [str(one) for one in shot.kind.summaries(shot.block)] or names
    return wanted if wanted in names else (first or [""])[0]


def _computed(factors: BrowserFactors, buffers: _Buffers) -> dict[str, Any]:
    arrays = {name: buffers.halves(values) for name, values in factors.halves.items()}
    arrays |= {name: buffers.floats(values) for name, values in factors.floats.items()}
    return {"arithmetic": factors.arithmetic, "options": dict(factors.options), "arrays": arrays}


def _static(shot: Shot, names: list[str], single: str | None, buffers: _Buffers) -> dict[str, Any]:
    """The maps of ``names`` at the pinned reference, or the one map, which is called ``single``."""
    kind, block = shot.kind, shot.block
    chosen = [MapChoice.parse(name) for name in names] or [None]
    maps, words = {}, []
    for one in chosen:
        number = kind.resolved(block, shot.cell, shot.selection, one)
        attention = kind.map(block, shot.cell, number)
        name = str(one or "")
        values = shot.meant(attention).values
        # Float16 makes neighbours equal, and the rank beside the pointer another than the table's.
        few = values.size <= LIVE_LIMIT
        maps[name] = buffers.exact(values) if few else buffers.heights(values)
        tag = kind.caption(shot.capture, attention)
        # "channel 17" for what has no name of its own, as where the browser computes it.
        label = f"{attention.part} {attention.number}" if tag == attention.label else tag
        words.append({"name": name, "label": label if one else single or tag, "tag": tag})
    return {"arithmetic": "static", "options": {"maps": words}, "arrays": maps}
