"""What children do: jobs with their limits, and the functions behind them. Plain values in, plain
values and blocks of memory out."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from errors import AttentionVizError, CheckpointError, InputError, MediaError
from ui.isolation import read_media, read_texts, read_weights

Job = Callable[[dict, Sequence[int]], tuple[dict, list[int]]]
"""Takes a request and the descriptors of its blocks, which stay the caller's; returns what it tells
and the descriptors of new blocks."""


class Kind(NamedTuple):
    """A kind of work: what does it; the memory in MB, beside ``growth`` times the file, and the
    seconds of processor time that it may take; the seconds after which it is given up however busy
    the machine is; what is said of a file that ends it, and of one that needs more than that."""

    job: Job
    megabytes: int
    seconds: int
    patience: int
    remedy: str
    refusal: type[AttentionVizError] = InputError
    growth: int = 0
    result_mb: int = 1024
    smaller: str = ""

    @property
    def less(self) -> str:
        """What to do about a file that is too much."""
        return self.smaller or self.remedy


_MEDIA = "Export it again as PNG, JPEG or MP4 (H.264)."
_LESS = "Scale it down or cut it first."

KINDS: dict[str, Kind] = {
    "read": Kind(read_media.read, 1500, 20, 60, _MEDIA, MediaError, smaller=_LESS),
    "frames": Kind(read_media.frames, 2000, 70, 100, _MEDIA, MediaError, smaller=_LESS),
    "unpack": Kind(
        read_media.unpack, 1500, 30, 60, "Give a folder's pictures and annotations in a .zip.",
        MediaError, smaller="Take fewer or smaller files.",
    ),
    "recipe": Kind(read_texts.recipe, 700, 30, 60, "Give the recipe.json of the figure."),
    "points": Kind(read_texts.points, 700, 20, 60, "Give a smaller CSV or JSON of points."),
    "annotations": Kind(
        read_texts.annotations, 1500, 20, 60, "Give smaller annotations, or fewer of them.",
    ),
    "weights": Kind(
        read_weights.weights, 700, 60, 120, "Save the network's state_dict again, alone.",
        CheckpointError, growth=2, result_mb=8500,
    ),
}  # fmt: skip
