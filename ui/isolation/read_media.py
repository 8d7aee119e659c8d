"""Pictures and clips, as a child reads them."""

from collections.abc import Iterator, Sequence

import numpy as np

from ui.isolation import channel
from viz.datasets import archive
from viz.media import footage
from viz.media.footage import Footage
from viz.media.frame_sets import FrameSet
from viz.media.stacks import Stack

_LAST: list[tuple[object, Footage]] = []
"""What this child read last: frames are asked for after a clip was read."""


def _opened(request: dict, blocks: Sequence[int]) -> Footage:
    """Return the footage in files; that of the request before it where it is the same."""
    levels = tuple(request["levels"]) if request.get("levels") else None
    key = request["token"], levels
    if _LAST and _LAST[0][0] == key:
        return _LAST[0][1]
    _LAST.clear()
    files = channel.files(request, blocks)
    if len(files) == 1 and not request["is_set"]:
        [(name, content)] = files
        found = footage.read(content, name, levels)
    else:
        found = footage.read_set(files, levels)
    _LAST.append((key, found))
    return found


def read(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Tell what footage is, with its times; with its pixels where it is a picture."""
    found = _opened(request, blocks)
    told = {
        "name": found.name, "sha256": found.sha256, "width": found.width, "height": found.height,
        "notes": found.notes, "shown": found.shown,
    }  # fmt: skip
    if found.is_clip:
        if isinstance(found.source, FrameSet | Stack):
            told["shown"] = found.take((0,)).shown
        return told, [channel.block(np.array(found.times, np.float64))]
    is_held = isinstance(found.source, footage.Held)
    picture = found.source.clip if is_held else found.take((0,))  # not copied
    _LAST.clear()  # a picture is asked for once
    return told | {"shape": picture.frames.shape}, [channel.block(picture.frames)]


class _Counted(list):
    """Numbers of frames; it is told how many of them have been gone through."""

    def __iter__(self) -> Iterator[int]:
        for done, number in enumerate(super().__iter__()):
            channel.TELLER.reached(done, len(self))
            yield number


def frames(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Decode frames of a clip."""
    numbers = _Counted(request["numbers"])
    taken = _opened(request, blocks).source.frames(numbers, request["most"])
    shown = taken.levels and taken.levels.ends
    told = {"shape": taken.values.shape, "notes": taken.notes, "shown": shown}
    return told, [channel.block(taken.values)]


def unpack(request: dict, blocks: Sequence[int]) -> tuple[dict, list[int]]:
    """Tell the paths and sizes of what is in the zip of a data set; their bytes are the block."""
    [(name, content)] = channel.files(request, blocks)
    found = archive.unpack(content, name)
    told = {"paths": [path for path, _ in found], "lengths": [len(part) for _, part in found]}
    return told, [channel.joined(part for _path, part in found)]
