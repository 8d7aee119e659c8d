"""From media to maps in one call each: what pages, command line and notebooks share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_from
from pathlib import Path

from errors import InputError, OutsideError
from models.build import places_of
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import NetworkSpec, TemporalSpec
from models.zoo import catalogue
from viz.attention import affinity, preprocess
from viz.attention.channel_maps import (
    RANKINGS,
    Ranking,
    channel_map,
    check_channel,
    group_map,
    rank,
)
from viz.attention.hooks import capture as run
from viz.geometry import Mode
from viz.media import footage
from viz.types import (
    AttentionMap,
    BlockCapture,
    Capture,
    Cell,
    CGNLCapture,
    Clip,
    ModelInput,
    NonLocalCapture,
    Sampling,
)

DEFAULT_CHANNELS = 5


@dataclass(frozen=True)
class Channels:
    """Which CGNL maps are asked for: a ranking and a count, an explicit list, or the groups."""

    ranking: Ranking = "standout"
    count: int = DEFAULT_CHANNELS
    listed: tuple[int, ...] = ()
    groups: bool = False


def load(name: str, answers: Mapping[str, str] = catalogue.NO_ANSWERS) -> LoadedModel:
    """Load a network by its catalogue id or the path of a checkpoint of any family.

    ``answers`` say what a checkpoint leaves open ({"function": "dot_product"}); UndecidedError
    lists what that is.
    """
    return catalogue.load(name, answers=answers)


def sampling_for(spec: NetworkSpec) -> Sampling:
    """Return the frames x step that a network was made for; 8 x 8 for networks of pictures."""
    prep = spec.preprocessing
    return Sampling(prep.frames, prep.frame_stride) if prep.frames > 1 else Sampling()


def sampled(model: LoadedModel, source: Clip | str | Path) -> Clip:
    """Return a Clip as it is; a file (or a folder of frames) as the network wants it sampled."""
    if isinstance(source, Clip):
        return source
    return footage.load(source).sample(sampling_for(model.spec))


def block_labels(spec: NetworkSpec) -> tuple[str, ...]:
    """Return the labels of the blocks that have attention maps, first to last."""
    attends = isinstance(getattr(spec, "block", None), NonLocalSpec | CGNLSpec)
    return tuple(place.label for place in places_of(spec)) if attends else ()


def effective(spec: NetworkSpec, mode: Mode = "fit", size: int | None = None) -> tuple[Mode, int]:
    """Return mode and size in pixels as they take effect: some networks have one input only."""
    prep = spec.preprocessing
    return ("center-crop", prep.size) if prep.fixed else (mode, size or prep.size)


def prepare(
    model: LoadedModel, clip: Clip, mode: Mode = "fit", size: int | None = None
) -> ModelInput:
    """Return the network's input for a clip; InputError when it has too few frames for it."""
    frames, time = len(clip.frames), getattr(model.spec, "temporal", TemporalSpec())
    if frames > 1 and not time.moments(frames):
        least = next(count for count in count_from(frames) if time.moments(count))
        raise InputError(
            f"{frames} frames came; {model.id} pools time and needs at least {least}. Take more "
            "frames of the clip, or one frame alone, which is held still."
        )
    return preprocess.prepare(clip, model.spec.preprocessing, mode, size)


def capture(
    model: LoadedModel, source: Clip | str | Path, mode: Mode = "fit", size: int | None = None
) -> Capture:
    """Run the network once on a picture or clip (a Clip or a path) and keep every block's factors.

    Of longer footage the middle is taken, as many frames as the network was made for.
    """
    return run(model, prepare(model, sampled(model, source), mode, size))


def block_of(capture: Capture, label: str | None = None) -> BlockCapture:
    """Return the block called ``label`` (res4.4), or the last one when None."""
    if not capture.blocks:
        raise InputError("This network has no attention block; choose an NL or CGNL network.")
    if label is None:
        return list(capture.blocks.values())[-1]
    if label not in capture.blocks:
        raise OutsideError(f"Block {label!r} came; this network has {', '.join(capture.blocks)}.")
    return capture.blocks[label]


def cell_at(capture: Capture, block: BlockCapture, at: tuple[float, float], frame: int = 0) -> Cell:
    """Return the feature cell under pixel (x, y) of frame ``frame`` of the original clip."""
    if not 0 <= frame < capture.frames:
        raise OutsideError(
            f"Frame {frame} came; the clip has frames 0 to {capture.frames - 1}. Choose one of "
            "them."
        )
    grid = block.query_grid
    return Cell(capture.moment(frame, grid), *capture.geometry.cell_at(*at, grid))


def affinity_row(
    capture: Capture, at: tuple[float, float], frame: int = 0, block: str | None = None
) -> AttentionMap:
    """Return the NL affinity row of the patch under original pixel (x, y): values (T, h, w)
    float32."""
    found = block_of(capture, block)
    if not isinstance(found, NonLocalCapture):
        raise InputError(
            f"Block {found.place.label} is a CGNL block; it has channel and group maps. Use "
            "channel_maps."
        )
    return affinity.row(found, cell_at(capture, found, at, frame))


def choose_channels(block: CGNLCapture, cell: Cell, wanted: Channels) -> list[int]:
    """Return the channels to show for this reference."""
    if wanted.listed:
        for channel in wanted.listed:
            check_channel(block, channel)
        return list(wanted.listed)
    return rank(block, cell, wanted.ranking, wanted.count)


def maps_at(block: BlockCapture, cell: Cell, wanted: Channels) -> list[AttentionMap]:
    """Return what the block attends to at a cell: one NL row, or the CGNL maps asked for."""
    if isinstance(block, NonLocalCapture):
        return [affinity.row(block, cell)]
    if wanted.groups:
        return [group_map(block, cell, k) for k in range(block.groups)]
    return [channel_map(block, cell, c) for c in choose_channels(block, cell, wanted)]


def channels_from(text: str) -> Channels:
    """Read ``auto``, ``groups``, the name of a ranking, or a list like ``0,3,17``."""
    text = text.strip()
    if text == "auto":
        return Channels()
    if text == "groups":
        return Channels(groups=True)
    if text in RANKINGS:
        return Channels(ranking=text)
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and len(part) < 9 for part in parts):
        raise InputError(
            f"Channels {text[:80]!r} came; use auto, groups, {', '.join(RANKINGS)}, "
            "or numbers like 0,3,17."
        )
    return Channels(listed=tuple(dict.fromkeys(int(part) for part in parts)))


def channel_maps_at(
    capture: Capture,
    at: tuple[float, float],
    channels: str | Sequence[int] = "auto",
    frame: int = 0,
    block: str | None = None,
) -> list[AttentionMap]:
    """Return CGNL maps of the patch under original pixel (x, y).

    ``channels`` is "auto" (the five that rank highest), "groups", the name of a ranking, or channel
    numbers.
    """
    found = block_of(capture, block)
    if not isinstance(found, CGNLCapture):
        raise InputError(
            f"Block {found.place.label} is an NL block; it has one map. Use affinity_row."
        )
    text = channels if isinstance(channels, str) else ",".join(map(str, channels))
    return maps_at(found, cell_at(capture, found, at, frame), channels_from(text))
