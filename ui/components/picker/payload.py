"""What the picker gets: one blob with the frames, the colour table and the factors of each block.

Layout: uint32 header length, JSON header, then buffers on multiples of 4 bytes; the header names
each buffer by {offset, length}. Factors are float16 over their largest size ("peak"). A block of
more than ``LIVE_LIMIT`` positions sends the maps of its pinned reference instead.
"""

import hashlib
import io
import json
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from models.blocks.kernels import TaylorKernel
from models.blocks.pairwise import Pairwise
from viz.attention import pipeline
from viz.attention.channel_maps import channel_map, group_map, phi_contrast, responses
from viz.attention.pipeline import Channels
from viz.geometry import Geometry
from viz.rendering.overlay import colour_table, pixel_span
from viz.types import AttentionMap, BlockCapture, Cell, CGNLCapture, Clip, Look, NonLocalCapture

STILL_SIDES, CLIP_SIDES = (480, 640), (320, 480)
"""Long side of a frame on the canvas, in pixels, of a still picture and of a clip: smaller and
larger ones are scaled to the nearer number."""

PNG = {"format": "PNG", "compress_level": 1}
JPEG = {"format": "JPEG", "quality": 92, "subsampling": "4:4:4"}
LIVE_LIMIT = 6272
"""Positions of a clip (8 x 28 x 28) up to which the browser computes maps as the pointer moves."""

_KEPT = 8
_encoded: dict[tuple[object, ...], tuple[bytes, ...]] = {}


@dataclass(frozen=True, eq=False)
class Panel:
    """One network on the canvas: its block's factors, the reference in its grid, and its words.

    ``frame`` is the clip frame of the pinned reference, ``cell.t`` that frame's moment in the
    query grid. ``key`` names the factors: another capture has another key.
    """

    key: str
    title: str
    prediction: str
    geometry: Geometry
    block: BlockCapture
    cell: Cell
    channels: Channels
    how: str = ""
    frame: int = 0


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
        return self.add((values / peak).half().numpy().tobytes()) | {"peak": peak}

    def heights(self, values: np.ndarray) -> dict[str, Any]:
        """Add a map as float16 between its lowest and highest value, so that contrast is kept
        where a map is nearly constant."""
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        span = high - low or 1.0
        content = ((values.astype(np.float64) - low) / span).astype(np.float16).tobytes()
        return self.add(content) | {"low": low, "span": span}

    def floats(self, values: Tensor) -> dict[str, int]:
        return self.add(values.float().numpy().tobytes())


def canvas_size(clip: Clip) -> tuple[int, int]:
    """Return (width, height) of a frame on the canvas."""
    smallest, largest = STILL_SIDES if len(clip.frames) == 1 else CLIP_SIDES
    long_side = max(clip.width, clip.height)
    scale = min(max(long_side, smallest), largest) / long_side
    return max(1, round(clip.width * scale)), max(1, round(clip.height * scale))


def canvas_frames(clip: Clip) -> tuple[bytes, ...]:
    """Return the frames that the canvas draws on: a still picture as a PNG, so that screen and
    export agree; the frames of a clip as JPEGs."""
    key = _identity(clip)
    if key not in _encoded:
        frames = _encode(clip)
        while len(_encoded) >= _KEPT:
            _encoded.pop(next(iter(_encoded)), None)
        _encoded[key] = frames
    return _encoded[key]


def _identity(clip: Clip) -> tuple[object, ...]:
    """The file, the frames taken from it, and one pixel in 256: enough to tell clips apart, without
    hashing every pixel at every rerun. A still picture is hashed whole."""
    step = 1 if len(clip.frames) == 1 else 16
    pixels = hashlib.sha256(clip.frames[:, ::step, ::step].tobytes()).hexdigest()
    return clip.sha256, clip.numbers, clip.timestamps, clip.frames.shape, pixels


def _encode(clip: Clip) -> tuple[bytes, ...]:
    still = len(clip.frames) == 1
    size, encoded = canvas_size(clip), []
    for frame in clip.frames:
        picture = Image.fromarray(frame)
        if size != picture.size:
            gap = None if still else 3.0  # shrinks large frames in two steps, which is faster
            picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=gap)
        packed = io.BytesIO()
        picture.save(packed, **(PNG if still else JPEG))
        encoded.append(packed.getvalue())
    return tuple(encoded)


def canvas_geometry(geometry: Geometry, clip: Clip) -> Geometry:
    """Return the geometry of the canvas picture: the same view, in canvas pixels."""
    width, height = canvas_size(clip)
    return replace(geometry, width=width, height=height)


def is_live(clip: Clip, block: BlockCapture) -> bool:
    """Tell whether maps follow the pointer; else they are computed for the pinned reference."""
    return len(clip.frames) == 1 or block.query_grid.cells <= LIVE_LIMIT


def pack(clip: Clip, panels: list[Panel], look: Look, focus: str) -> bytes:
    """Return the blob for a clip, one or two networks, a look and the CGNL map shown large."""
    buffers = _Buffers()
    frames = canvas_frames(clip)
    width, height = canvas_size(clip)
    digest = hashlib.sha256(b"".join(hashlib.sha256(frame).digest() for frame in frames))
    header = {
        "picture": {
            "width": width,
            "height": height,
            "hash": digest.hexdigest(),
            "type": "image/png" if len(frames) == 1 else "image/jpeg",
            "frames": [buffers.add(frame) for frame in frames],
            "times": list(clip.timestamps),
        },
        "original": {"width": clip.width, "height": clip.height},
        "look": asdict(look),
        "table": buffers.add(colour_table(look.colormap).tobytes()),
        "focus": focus,
        "panels": [_panel(panel, clip, buffers) for panel in panels],
    }
    text = json.dumps(header).encode()
    text += b" " * (-(len(text) + 4) % 4)
    return len(text).to_bytes(4, "little") + text + b"".join(buffers.parts)


def _panel(panel: Panel, clip: Clip, buffers: _Buffers) -> dict[str, Any]:
    geometry = canvas_geometry(panel.geometry, clip)
    rows, cols = pixel_span(geometry)
    block = panel.block
    live = is_live(clip, block)
    shared = {
        "key": panel.key,
        "title": panel.title,
        "prediction": panel.prediction,
        "geometry": asdict(geometry),
        "span": {"top": rows.start, "bottom": rows.stop, "left": cols.start, "right": cols.stop},
        "grid": block.query_grid._asdict(),
        "keyGrid": block.key_grid._asdict(),
        "cell": asdict(panel.cell),
        "frame": panel.frame,
        "still": not live,
        "how": panel.how,
    }
    if isinstance(block, NonLocalCapture):
        factors = _nonlocal(block, buffers) if live else _maps(panel, [], buffers)
        return shared | {"kind": "nonlocal"} | factors
    shared |= _cgnl(block, panel.channels)
    if live:
        return shared | _cgnl_factors(block, panel.channels, buffers)
    channels = pipeline.choose_channels(block, panel.cell, panel.channels)
    return shared | _maps(panel, channels, buffers)


def _nonlocal(block: NonLocalCapture, buffers: _Buffers) -> dict[str, Any]:
    return {
        "width": block.queries.shape[1],
        "groups": block.groups,
        "pairwise": _pairwise(block.pairwise),
        "queries": buffers.halves(block.queries),
        "keys": buffers.halves(block.keys),
    }


def _pairwise(pairwise: Pairwise) -> dict[str, Any]:
    return {"name": pairwise.name, "scale": pairwise.scale, "softmax": pairwise.sums_to_one}


def _cgnl(block: CGNLCapture, wanted: Channels) -> dict[str, Any]:
    return {
        "kind": "cgnl",
        "channels": len(block.theta),
        "groups": block.groups,
        "ranking": wanted.ranking,
        "count": wanted.count,
        "listed": list(wanted.listed),
    }


def _cgnl_factors(block: CGNLCapture, wanted: Channels, buffers: _Buffers) -> dict[str, Any]:
    kernel = block.kernel
    arithmetic = {"terms": kernel.terms} if isinstance(kernel, TaylorKernel) else asdict(kernel)
    response = responses(block) if wanted.ranking == "response" else None
    return {
        "kernel": arithmetic,
        "theta": buffers.halves(block.theta),
        "phi": buffers.halves(block.phi),
        "response": None if response is None else buffers.halves(response),
        "mean": buffers.floats(block.theta.mean(1)),
        "spread": buffers.floats(block.theta.std(1, correction=0).clamp_min(1e-12)),
        "contrast": buffers.floats(phi_contrast(block)),
    }


def _maps(panel: Panel, channels: list[int], buffers: _Buffers) -> dict[str, Any]:
    """The maps of the pinned reference: the NL row, or the chosen channels, then every group."""
    block, cell = panel.block, panel.cell
    maps: list[AttentionMap]
    if isinstance(block, CGNLCapture):
        maps = [channel_map(block, cell, channel) for channel in channels]
        maps += [group_map(block, cell, group) for group in range(block.groups)]
    else:
        maps = pipeline.maps_at(block, cell, panel.channels)
    return {"chosen": channels, "maps": [buffers.heights(one.values) for one in maps]}
