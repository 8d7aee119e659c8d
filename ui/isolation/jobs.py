"""What children do: jobs with their limits, and the functions behind them. Plain values in, plain
values and arrays out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from viz.datasets import archive
from viz.media import footage
from viz.media.footage import Footage

Reply = tuple[dict, list[np.ndarray]]
Job = Callable[[dict, list[bytes]], Reply]


class Kind(NamedTuple):
    """A kind of work: what does it, the memory in MB and the seconds of processor time that it may
    take, and the seconds after which it is given up however busy the machine is."""

    job: Job
    megabytes: int
    seconds: int
    patience: int


_LAST: list[tuple[str, Footage]] = []
"""What this child read last: frames are asked for after a clip was read."""


def _opened(request: dict, files: Sequence[bytes]) -> Footage:
    """Return the footage in files; that of the request before it where it is the same."""
    if _LAST and _LAST[0][0] == request["token"]:
        return _LAST[0][1]
    _LAST.clear()
    names = request["names"]
    if len(names) == 1 and not request["is_set"]:
        found = footage.read(files[0], names[0])
    else:
        found = footage.read_set(_split(names, request["lengths"], files[0]))
    _LAST.append((request["token"], found))
    return found


def _split(names: list[str], lengths: list[int], joined: bytes) -> list[tuple[str, bytes]]:
    parts, place = [], 0
    for name, length in zip(names, lengths, strict=True):
        parts.append((name, joined[place : place + length]))
        place += length
    return parts


def _read(request: dict, files: list[bytes]) -> Reply:
    found = _opened(request, files)
    told = {
        "name": found.name, "sha256": found.sha256, "width": found.width, "height": found.height,
        "notes": found.notes,
    }  # fmt: skip
    if found.is_clip:
        return told, [np.array(found.times, np.float64)]
    picture = found.take((0,))
    _LAST.clear()  # a picture is asked for once
    return told | {"shape": picture.frames.shape}, [picture.frames]


def _frames(request: dict, files: list[bytes]) -> Reply:
    taken = _opened(request, files).source.frames(request["numbers"], request["most"])
    return {"shape": taken.values.shape, "notes": taken.notes}, [taken.values]


def _unpack(request: dict, files: list[bytes]) -> Reply:
    found = archive.unpack(files[0], request["names"][0])
    told = {"paths": [path for path, _ in found], "lengths": [len(part) for _, part in found]}
    joined = b"".join(part for _path, part in found)
    return told, [np.frombuffer(joined, np.uint8)]


KINDS: dict[str, Kind] = {
    "read": Kind(_read, 1500, 20, 60),
    "unpack": Kind(_unpack, 1500, 30, 60),
    "frames": Kind(_frames, 2000, 70, 100),
}
