"""Maps, features and overlays of a whole data set as Parquet or Zarr.

    from viz.datasets.export import Asked, export
    export(read("birds"), viz.load("e2-nl"), "out", Asked(what=("maps", "features")))

A row of a part is one array of one picture; what it is stands in SCHEMA. ``out/manifest.json``
lists every file with its sha256. A run that was stopped goes on where it was.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
from PIL import Image

from errors import InputError, OutsideError
from models.loaded import LoadedModel
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import Selection
from viz.attention.kinds.kind import AT_ONCE
from viz.attention.kinds.registry import kind_of
from viz.attention.queries import block_of
from viz.datasets import shards
from viz.datasets.passes import Networks, Passed
from viz.datasets.sample import Dataset, Sample
from viz.datasets.shards import Finished, Job, Progress, Row, Runner, Work, in_this_process
from viz.geometry import Mode
from viz.rendering import heat
from viz.rendering.colormaps import colour_table
from viz.rendering.look import Look
from viz.types import AttentionMap, Cell, Clip

VERSION = 1
LOOK = Look()
"""How overlays are shown: as figures are when nothing else is asked for."""
What = Literal["maps", "features", "overlays"]
Kind = Literal["float16", "float32"]
WHAT: tuple[str, ...] = get_args(What)
SCHEMA = pa.schema(
    [
        ("picture", pa.string()),
        ("sha256", pa.string()),
        ("block", pa.string()),
        ("what", pa.string()),
        ("label", pa.string()),
        ("x", pa.float32()),
        ("y", pa.float32()),
        ("shape", pa.list_(pa.int32())),
        ("dtype", pa.string()),
        ("data", pa.binary()),
    ]
)
"""One array: ``data`` holds its values in C order, little-endian, of ``dtype`` and ``shape``.

maps: (T, h, w); features: the block's input (C, T, h, w); overlays: a PNG, dtype "png". ``label``
is the map's; x and y the reference, in pixels of the picture; ``sha256`` is the picture's.
"""


@dataclass(frozen=True)
class Asked:
    """What is exported. Maps and overlays are those of every part that annotations name, of the
    picture's middle where they name none; ``count`` of them where a reference has several."""

    what: tuple[What, ...] = ("maps",)
    dtype: Kind = "float16"
    block: str | None = None
    mode: Mode = "fit"
    size: int | None = None
    count: int = 5

    def __post_init__(self) -> None:
        if not self.what:
            raise InputError(f"No arrays were asked for; give one or more of {', '.join(WHAT)}.")
        wrong = [str(one)[:40] for one in self.what if one not in WHAT]
        if wrong:
            raise InputError(f"{wrong[0]!r} cannot be exported; give some of {', '.join(WHAT)}.")
        if self.dtype not in get_args(Kind):
            raise InputError(f"{self.dtype[:40]!r} is not a type; give float16 or float32.")


def export(
    dataset: Dataset,
    model: LoadedModel,
    out: str | Path,
    asked: Asked | None = None,
    progress: Progress | None = None,
    runner: Runner = in_this_process,
) -> Finished:
    """Write the arrays of every picture; what is there already is not made again.

    ``out`` is a folder, or a URL like s3://bucket/run; ``runner`` says who does the work
    (``viz.datasets.cluster``: processes or machines of a Ray cluster). InputError where nothing
    could be made; MachineError where ``out`` cannot be written. Pictures that fail are listed in
    the manifest.
    """
    asked = asked or Asked()
    settings = {"export": VERSION, "network": [model.id, model.sha256], **asdict(asked)}
    networks = Networks((model,), asked.mode, asked.size)
    work = partial(_work, networks, asked)
    job = Job(settings, SCHEMA, work, networks.load, networks.models, networks.at_once)
    finished = shards.run(dataset.samples, out, job, progress, runner)
    if len(finished.problems) == finished.pictures:
        raise InputError(f"Nothing could be exported: {finished.problems[0][1]}")
    return finished


def array_of(row: Mapping[str, object]) -> np.ndarray:
    """Return the array of a row: values in its shape, or (H, W, 3) uint8 of an overlay."""
    if row["dtype"] == "png":
        with Image.open(io.BytesIO(row["data"])) as picture:
            return np.asarray(picture.convert("RGB"))
    return np.frombuffer(row["data"], f"<{np.dtype(row['dtype']).str[1:]}").reshape(row["shape"])


def to_zarr(finished: Finished, path: Path) -> None:
    """Write the arrays as a Zarr group: picture / what / number, with label and x, y as
    attributes. InputError where zarr is not installed."""
    try:
        import zarr  # noqa: PLC0415 (an extra)
    except ImportError as problem:
        raise InputError(
            "Zarr files need the package zarr; pip install zarr, or leave out --zarr."
        ) from problem
    root = zarr.open_group(str(path), mode="w")
    for row in finished.rows():
        name = row["picture"].replace("/", "__")
        group = root.require_group(f"{name}/{row['what']}")
        values = array_of(row)
        stored = group.create_array(str(len(list(group.keys()))), data=np.ascontiguousarray(values))
        kept = ("picture", "block", "label", "x", "y", "sha256")
        stored.attrs.update({key: row[key] for key in kept})


def _work(networks: Networks, asked: Asked) -> Work:
    def rows(_sample: Sample, passed: Passed) -> list[Row]:
        (capture,), clip = passed.captures, passed.clip
        block = block_of(capture, asked.block)
        base = {"picture": passed.sample.name, "sha256": clip.sha256, "block": block.label}
        return [
            {**base, "what": what, **row}
            for what in asked.what
            for row in _MAKERS[what](passed.sample, clip, capture, block, asked)
        ]

    return shards.one_by_one(rows, networks.passes)


def _maps_of(
    sample: Sample, clip: Clip, capture: Capture, block: BlockCapture, asked: Asked
) -> Iterator[tuple[str, AttentionMap, tuple[float, float]]]:
    """Yield (label, map, reference in pixels); parts that the network does not see are left out."""
    selection, seen = Selection(count=asked.count), list(_references(sample, clip, capture, block))
    for first in range(0, len(seen), AT_ONCE):
        some = seen[first : first + AT_ONCE]
        made = kind_of(block).maps_at(block, [cell for _name, _at, cell in some], selection)
        for (name, at, _cell), maps in zip(some, made, strict=True):
            for found in maps:
                yield f"{name}: {found.label}", found, at


def _references(
    sample: Sample, clip: Clip, capture: Capture, block: BlockCapture
) -> Iterator[tuple[str, tuple[float, float], Cell]]:
    """Yield (name, pixel, cell) of every part that the network sees; the middle without parts."""
    named = [(part.name, (part.x, part.y)) for part in sample.parts]
    for name, at in named or [("middle", (clip.width / 2, clip.height / 2))]:
        try:
            row, col = capture.geometry.cell_at(*at, block.query_grid)
        except OutsideError:
            continue
        yield name, at, Cell(0, row, col)


def _stored(values: np.ndarray, dtype: str) -> Row:
    kept = np.ascontiguousarray(values, f"<{np.dtype(dtype).str[1:]}")
    return {"shape": list(values.shape), "dtype": dtype, "data": kept.tobytes()}


def _maps(
    sample: Sample, clip: Clip, capture: Capture, block: BlockCapture, asked: Asked
) -> Iterator[Row]:
    for label, found, at in _maps_of(sample, clip, capture, block, asked):
        yield {"label": label, "x": at[0], "y": at[1], **_stored(found.values, asked.dtype)}


def _features(
    _sample: Sample, _clip: Clip, _capture: Capture, block: BlockCapture, asked: Asked
) -> Iterator[Row]:
    if block.block_input is not None:
        values = block.block_input[0].float().cpu().numpy()
        yield {"label": "block input", **_stored(values, asked.dtype)}


def _overlays(
    sample: Sample, clip: Clip, capture: Capture, block: BlockCapture, asked: Asked
) -> Iterator[Row]:
    """Yield the first map of each reference over what the network sees of the picture."""
    seen, done = capture.geometry.seen, set()
    edges = (seen.top, seen.bottom, seen.left, seen.right)
    top, bottom, left, right = (max(0, round(edge)) for edge in edges)
    frame = clip.frames[0, top:bottom, left:right]
    for label, found, at in _maps_of(sample, clip, capture, block, asked):
        if at in done:
            continue
        done.add(at)
        blended, packed = _blended(frame, found), io.BytesIO()
        Image.fromarray(blended).save(packed, "PNG", compress_level=1)
        row = {"label": label, "x": at[0], "y": at[1], "dtype": "png", "data": packed.getvalue()}
        yield {**row, "shape": list(blended.shape)}


def _blended(frame: np.ndarray, attention: AttentionMap) -> np.ndarray:
    """Return (H, W, 3) uint8: the map's heat from the threshold up, over the picture."""
    found = heat.normalise(attention, LOOK)
    level = found.values[:1]
    enlarged = heat.upsample(level, *frame.shape[:2], LOOK.interpolation)[0]
    colours = colour_table(LOOK.colormap)[(enlarged * 255).round().astype(np.uint8)]
    opacity = np.where(heat.kept(enlarged, found.level(0, LOOK)), np.float32(LOOK.heat_opacity), 0)[
        ..., None
    ]
    return (frame * (1 - opacity) + colours * opacity).round().astype(np.uint8)


_MAKERS: dict[str, Callable[..., Iterator[Row]]] = {
    "maps": _maps,
    "features": _features,
    "overlays": _overlays,
}
