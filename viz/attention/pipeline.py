"""From media to a capture in one call each: what pages, command line and notebooks share."""

import warnings
from collections.abc import Mapping
from itertools import count as count_from
from pathlib import Path

from torch import nn

from errors import CheckpointError, InputError
from models import devices
from models.loaded import LoadedModel
from models.report import unused
from models.specs.detection import DetectorInput, DetectorSpec
from models.specs.network import NetworkSpec, TemporalSpec
from models.zoo import catalogue
from models.zoo.wrapped.wrap import wrap
from viz.attention import preprocess
from viz.attention.captures import Capture
from viz.attention.forward import Watch
from viz.attention.forward import capture as run
from viz.geometry import MODES, SIZES, Mode
from viz.media import footage
from viz.types import Clip, ModelInput, Sampling


def load(
    name: str | nn.Module,
    answers: Mapping[str, str] = catalogue.NO_ANSWERS,
    device: str | None = None,
) -> LoadedModel:
    """Load a network by its catalogue id, the name of a library's, or the path of a checkpoint of
    any family; a module that attends, as ``wrap`` does.

    It computes on ``device`` (cpu, cuda, cuda:1, mps), else on a GPU where there is one; a module
    stays where it is unless that is given. ``answers`` say what a checkpoint leaves open
    ({"function": "dot_product"}); UndecidedError lists what that is, CheckpointError an answer that
    nobody asked for, MachineError a device that is not there.
    """
    if isinstance(name, nn.Module):
        if device is not None:
            devices.moved(name, devices.found(device))
        return wrap(name, answers=answers)
    model = catalogue.load(name, device, answers=answers)
    if left := unused(model.report, answers):
        taken = ", ".join(model.report.open_to_answers if model.report else ())
        raise CheckpointError(
            f"{', '.join(left)} is nothing that can be answered of {name}; it takes "
            f"{taken or 'no answers'}. Leave it out, or check its spelling."
        )
    return model


def sampling_for(spec: NetworkSpec) -> Sampling:
    """Return the frames x step that a network was made for; 8 x 8 for networks of pictures."""
    prep = spec.preprocessing
    return Sampling(prep.frames, prep.frame_stride) if prep.frames > 1 else Sampling()


def sampled(model: LoadedModel, source: Clip | str | Path) -> Clip:
    """Return a Clip as it is; a file (or a folder of frames) as the network wants it sampled.

    What was assumed about the file is said as a warning. viz.media.footage.load(path, levels)
    overrules which values of a deep picture are black and white.
    """
    if isinstance(source, Clip):
        return source
    clip = footage.load(source).sample(sampling_for(model.spec))
    for note in clip.notes:
        warnings.warn(f"{clip.name}: {note}.", stacklevel=3)
    return clip


def effective(
    spec: NetworkSpec | DetectorSpec, mode: Mode = "fit", size: int | None = None
) -> tuple[Mode, int]:
    """Return mode and size in pixels as they take effect: some networks have one input only.

    InputError for a mode or a size that there is not.
    """
    if mode not in MODES:
        raise InputError(f"{str(mode)[:40]!r} is not a mode; use {' or '.join(MODES)}.")
    if size is not None and not SIZES[0] <= size <= SIZES[1]:
        raise InputError(f"Size {size} is out of range; give {SIZES[0]} to {SIZES[1]} pixels.")
    prep = spec.preprocessing
    if isinstance(prep, DetectorInput):
        return "fit", prep.size if prep.fixed else size or prep.size
    return ("center-crop", prep.size) if prep.fixed else (mode, size or prep.size)


def prepare(
    model: LoadedModel, clip: Clip, mode: Mode = "fit", size: int | None = None
) -> ModelInput:
    """Return the network's input for a clip; InputError when it has too few frames for it."""
    frames, time = len(clip.frames), getattr(model.spec, "temporal", TemporalSpec())
    if frames > 1 and not time.moments(frames):
        least = next(count for count in count_from(frames) if time.moments(count))
        raise InputError(
            f"{frames} frames are too few: {model.id} pools time and needs at least {least}. Take "
            "more frames of the clip, or one frame alone, which is held still."
        )
    return preprocess.prepare(clip, model.spec.preprocessing, *effective(model.spec, mode, size))


def capture(
    model: LoadedModel,
    source: Clip | str | Path,
    mode: Mode = "fit",
    size: int | None = None,
    watch: Watch | None = None,
) -> Capture:
    """Run the network once on a picture or clip (a Clip or a path) and keep every block's factors.

    Of longer footage the middle is taken, as many frames as the network was made for. ``watch`` is
    told how far the forward pass is.
    """
    return run(model, prepare(model, sampled(model, source), mode, size), watch)
