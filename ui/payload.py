"""What the picker gets: one blob with the picture, the colour table and the factors of each block.

Layout: uint32 header length, JSON header, then buffers on multiples of 4 bytes; the header names
each buffer by {offset, length}. Factors are float16 over their largest size ("peak").
"""

import hashlib
import io
import json
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any

from PIL import Image
from torch import Tensor

from models.kernels import TaylorKernel
from models.pairwise import Pairwise
from viz.channel_maps import phi_contrast, responses
from viz.geometry import Geometry
from viz.overlay import colour_table, pixel_span
from viz.pipeline import Channels
from viz.types import BlockCapture, Cell, CGNLCapture, Clip, Look, NonLocalCapture

SMALLEST_SIDE, LARGEST_SIDE = 480, 640
"""Long side of the picture on the canvas, in pixels; others are scaled to the nearer one."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One network on the canvas: its block's factors, the reference in its grid, and its words."""

    key: str
    title: str
    prediction: str
    geometry: Geometry
    block: BlockCapture
    cell: Cell
    channels: Channels
    how: str = ""


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

    def floats(self, values: Tensor) -> dict[str, int]:
        return self.add(values.float().numpy().tobytes())


def canvas_size(clip: Clip) -> tuple[int, int]:
    """Return (width, height) of the picture on the canvas."""
    long_side = max(clip.width, clip.height)
    scale = min(max(long_side, SMALLEST_SIDE), LARGEST_SIDE) / long_side
    return max(1, round(clip.width * scale)), max(1, round(clip.height * scale))


@lru_cache(maxsize=8)
def _packed_picture(content: bytes, width: int, height: int, to: tuple[int, int]) -> bytes:
    picture = Image.frombytes("RGB", (width, height), content)
    if to != picture.size:
        picture = picture.resize(to, Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    picture.save(packed, "PNG", compress_level=1)
    return packed.getvalue()


def canvas_picture(clip: Clip) -> bytes:
    """Return the PNG that the canvas draws on: lossless, so that screen and export agree."""
    return _packed_picture(clip.frames[0].tobytes(), clip.width, clip.height, canvas_size(clip))


def canvas_geometry(geometry: Geometry, clip: Clip) -> Geometry:
    """Return the geometry of the canvas picture: the same view, in canvas pixels."""
    width, height = canvas_size(clip)
    return replace(geometry, width=width, height=height)


def pack(clip: Clip, panels: list[Panel], look: Look, focus: str) -> bytes:
    """Return the blob for a picture, one or two networks, a look and the CGNL map shown large."""
    buffers = _Buffers()
    picture = canvas_picture(clip)
    width, height = canvas_size(clip)
    header = {
        "picture": buffers.add(picture)
        | {"width": width, "height": height, "hash": hashlib.sha256(picture).hexdigest()},
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
    shared = {
        "key": panel.key,
        "title": panel.title,
        "prediction": panel.prediction,
        "geometry": asdict(geometry),
        "span": {"top": rows.start, "bottom": rows.stop, "left": cols.start, "right": cols.stop},
        "grid": block.query_grid._asdict(),
        "keyGrid": block.key_grid._asdict(),
        "cell": asdict(panel.cell),
    }
    if isinstance(block, NonLocalCapture):
        return shared | _nonlocal(block, buffers)
    return shared | _cgnl(block, panel.channels, buffers) | {"how": panel.how}


def _nonlocal(block: NonLocalCapture, buffers: _Buffers) -> dict[str, Any]:
    return {
        "kind": "nonlocal",
        "width": block.queries.shape[1],
        "groups": block.groups,
        "pairwise": _pairwise(block.pairwise),
        "queries": buffers.halves(block.queries),
        "keys": buffers.halves(block.keys),
    }


def _pairwise(pairwise: Pairwise) -> dict[str, Any]:
    return {"name": pairwise.name, "scale": pairwise.scale, "softmax": pairwise.sums_to_one}


def _cgnl(block: CGNLCapture, wanted: Channels, buffers: _Buffers) -> dict[str, Any]:
    kernel = block.kernel
    arithmetic = {"terms": kernel.terms} if isinstance(kernel, TaylorKernel) else asdict(kernel)
    response = responses(block) if wanted.ranking == "response" else None
    return {
        "kind": "cgnl",
        "channels": len(block.theta),
        "groups": block.groups,
        "kernel": arithmetic,
        "theta": buffers.halves(block.theta),
        "phi": buffers.halves(block.phi),
        "response": None if response is None else buffers.halves(response),
        "mean": buffers.floats(block.theta.mean(1)),
        "spread": buffers.floats(block.theta.std(1, correction=0).clamp_min(1e-12)),
        "contrast": buffers.floats(phi_contrast(block)),
        "ranking": wanted.ranking,
        "count": wanted.count,
        "listed": list(wanted.listed),
    }
