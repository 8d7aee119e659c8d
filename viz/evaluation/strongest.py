"""What excites this channel: the pictures and patches of a data set that each channel, group or
head of a block answers to most.

    found = strongest(read("birds"), viz.load("e2-cgnl"), "out", Sought("channel"))
    found.of(17)[0].picture

The answer to a patch is the largest absolute value of the channel's map with that patch as the
reference; of each picture its strongest patch counts. Written to ``out``: strongest.csv, and the
parts from which a run that was stopped goes on. Memory does not grow with the number of pictures.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from errors import InputError, OutsideError, plural
from models.loaded import LoadedModel
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import PARTS
from viz.attention.kinds.kind import ROW
from viz.attention.kinds.registry import kind_of
from viz.attention.queries import block_of
from viz.datasets import shards
from viz.datasets.passes import Networks, Passed
from viz.datasets.sample import Dataset, Sample
from viz.datasets.shards import (
    Finished,
    Job,
    Progress,
    Row,
    Runner,
    Turn,
    Work,
    in_this_process,
)
from viz.figure import api as figures
from viz.figure.api import Figure
from viz.figure.files import export
from viz.figure.sources import FileSources
from viz.geometry import Mode
from viz.media import footage
from viz.types import Clip

VERSION, MOST = 1, 50
SCHEMA = pa.schema(
    [
        ("picture", pa.string()),
        ("sha256", pa.string()),
        ("part", pa.string()),
        ("strength", pa.list_(pa.float32())),
        ("x", pa.list_(pa.float32())),
        ("y", pa.list_(pa.float32())),
    ]
)
"""A picture: for each channel, group or head its strongest answer, and where, in pixels."""


@dataclass(frozen=True)
class Sought:
    """What is looked for: ``part`` is channel, group, head or row ("": what the block has first);
    ``count`` pictures of each are kept; block, mode and size as in an evaluation."""

    part: str = ""
    count: int = 6
    block: str | None = None
    mode: Mode = "fit"
    size: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST:
            raise InputError(f"{self.count} pictures are out of range; give 1 to {MOST}.")


@dataclass(frozen=True)
class Answer:
    """A patch that a channel answers to: its picture, its middle in pixels, how strongly."""

    picture: str
    at: tuple[float, float]
    strength: float


@dataclass(frozen=True, eq=False)
class Strongest:
    """The strongest answers of every channel, group or head: ``strengths``, ``x``, ``y`` and
    ``pictures`` (names by number) are (K, n), strongest first; -1 stands for no picture."""

    part: str
    names: tuple[str, ...]
    pictures: np.ndarray
    strengths: np.ndarray
    x: np.ndarray
    y: np.ndarray
    finished: Finished

    def __len__(self) -> int:
        return len(self.strengths)

    def of(self, number: int) -> tuple[Answer, ...]:
        """Return the answers of one channel, group or head, the strongest first."""
        if not 0 <= number < len(self):
            raise OutsideError(
                f"{number} is not a {self.part} here; there are {plural(self.part)} 0 to "
                f"{len(self) - 1}."
            )
        found = zip(self.pictures[number], self.x[number], self.y[number], self.strengths[number],
                    strict=True)  # fmt: skip
        return tuple(
            Answer(self.names[k], (float(x), float(y)), float(s)) for k, x, y, s in found if k >= 0
        )


def strongest(
    dataset: Dataset,
    model: LoadedModel,
    out: str | Path,
    sought: Sought | None = None,
    progress: Progress | None = None,
    turn: Turn = nullcontext,
    runner: Runner = in_this_process,
) -> Strongest:
    """Go through a data set, and return what each channel, group or head answers to most.

    ``turn`` stands around the work on each picture; ``runner`` says who does it, as in ``export``.
    InputError where nothing could be gone through, or the block has no such part; MachineError
    where ``out`` cannot be written.
    """
    sought = sought or Sought()
    # How many are kept does not change what is measured.
    settings = {"strongest": VERSION, "network": [model.id, model.sha256], **asdict(sought)}
    del settings["count"]
    networks = Networks((model,), sought.mode, sought.size)
    work = partial(_work, networks, sought)
    job = Job(settings, SCHEMA, work, networks.load, networks.models, networks.at_once, turn=turn)
    finished = shards.run(dataset.samples, Path(out), job, progress, runner)
    if len(finished.problems) == finished.pictures:
        raise InputError(f"Nothing could be gone through: {finished.problems[0][1]}")
    found = _best(finished, sought)
    export.save(_csv(found), Path(out) / "strongest.csv")
    return found


def _work(networks: Networks, sought: Sought) -> Work:
    def rows(_sample: Sample, passed: Passed) -> list[Row]:
        (capture,), clip = passed.captures, passed.clip
        block = block_of(capture, sought.block)
        part = sought.part or first_part(block)
        strengths = kind_of(block).strengths(block, part)
        x, y, inside = _places(capture, block, clip)
        best, position = strengths.float().cpu().masked_fill(~inside, -torch.inf).max(1)
        found = {"picture": passed.sample.name, "sha256": clip.sha256, "part": part}
        at = {"x": x[position].tolist(), "y": y[position].tolist()}
        return [{**found, "strength": best.tolist(), **at}]

    return shards.one_by_one(rows, networks.passes)


def first_part(block: BlockCapture) -> str:
    """Return what answers first in a block: channels before groups, heads, the one row."""
    words = kind_of(block).answering(block)
    if not words:
        raise InputError(f"{block.label} has no maps of a reference; choose another block.")
    return words[0]


def _places(
    capture: Capture, block: BlockCapture, clip: Clip
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return x and y in pixels of every reference, and whether it lies in the picture: (N,)."""
    grid, geometry = block.query_grid, capture.geometry
    x = torch.tensor([geometry.cell_centre(0, col, grid)[0] for col in range(grid.cols)])
    y = torch.tensor([geometry.cell_centre(row, 0, grid)[1] for row in range(grid.rows)])
    x, y = x.repeat(grid.frames * grid.rows), y.repeat_interleave(grid.cols).repeat(grid.frames)
    return x, y, (x >= 0) & (x < clip.width) & (y >= 0) & (y < clip.height)


def _best(finished: Finished, sought: Sought) -> Strongest:
    """Return the best of all rows, of which one part is in memory at a time."""
    names, part = [], ""
    kept: list[np.ndarray] | None = None
    for row in finished.rows():
        new = [np.float32(row[name])[:, None] for name in ("strength", "x", "y")]
        new.insert(0, np.full_like(new[0], len(names), np.int64))
        names.append(row["picture"])
        part = row["part"]
        joined = new if kept is None else [np.hstack(p) for p in zip(kept, new, strict=True)]
        order = np.argsort(-joined[1], axis=1, kind="stable")[:, : sought.count]
        kept = [np.take_along_axis(part, order, 1) for part in joined]
    pictures, strengths, x, y = kept
    pictures = np.where(np.isfinite(strengths), pictures, -1)
    return Strongest(part, tuple(names), pictures, strengths, x, y, finished)


def _csv(found: Strongest) -> bytes:
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow((found.part, "rank", "picture", "x", "y", "strength"))
    for number in range(len(found)):
        for rank, one in enumerate(found.of(number), 1):
            lines.writerow((number, rank, one.picture, *one.at, one.strength))
    return text.getvalue().encode()


def figure(
    found: Strongest,
    number: int,
    dataset: Dataset,
    models: Mapping[str, LoadedModel],
    sought: Sought,
) -> Figure:
    """Return the figure of one channel, group or head: pictures with its map, and the patches.

    ``models`` is the network that was searched, by the name that loads it.
    """
    answers = found.of(number)
    paths = {sample.name: str(sample.path) for sample in dataset.samples}
    reader = dataset.samples[0].reader
    sources = FileSources(
        load=lambda name, _answers: models[name],
        read=lambda path, _levels: footage.of(reader(Path(path))),
        places=[dataset.folder],
    )
    shown = {} if found.part == ROW else {"shown": _choice(found.part, number)}
    return figures.strongest(
        [paths[one.picture] for one in answers],
        list(models),
        [one.at for one in answers],
        sources=sources,
        name=tuple(f"{Path(one.picture).name} ({one.strength:.3g})" for one in answers),
        block=sought.block,
        mode=sought.mode,
        size=sought.size,
        **shown,
    )


def _choice(part: str, number: int) -> str:
    return f"{PARTS[part].tag}{number}"


def lines(found: Strongest, number: int) -> Iterator[str]:
    """Yield a line an answer: picture, place, strength."""
    for rank, one in enumerate(found.of(number), 1):
        x, y = one.at
        yield f"  {rank:>2} {one.strength:9.4g}  {one.picture} at ({x:.0f}, {y:.0f})"
