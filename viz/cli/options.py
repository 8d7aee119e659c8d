"""Options that several commands share: which frames of clips, how maps look, and their checks."""

import argparse
from math import isfinite
from pathlib import Path

from errors import InputError
from models.specs.network import MAX_FRAMES, NetworkSpec
from viz.attention import pipeline
from viz.rendering import look as looks
from viz.rendering.look import Look
from viz.types import Clip, Sampling

_SAMPLING = ("frames", "step", "start", "unit")
_LOOK = {
    "normalise": "normalise",
    "threshold": "threshold",
    "colormap": "colormap",
    "opacity": "heat_opacity",
    "interpolation": "interpolation",
    "arrows": "arrows",
    "display": "display",
    "cut": "cut",
    "share": "share",
}
"""Option -> field of Look."""


def from_here(text: str) -> str:
    """Return a path below the working folder as it is called from there: recipes keep no other
    folders. Names and all other paths stay."""
    path = Path(text)
    try:
        here = Path.cwd() if path.is_absolute() else path
    except OSError:  # it was removed
        return text
    return str(path.relative_to(here)) if path != here and path.is_relative_to(here) else text


def add_sampling(command: argparse.ArgumentParser) -> None:
    """Add the options that say which frames of a clip are taken."""
    add = command.add_argument
    add("--frames", type=int, help="how many frames of a clip; else the network's")
    add("--step", type=float, help="from one frame to the next; else the network's")
    add("--start", type=float, help="the first frame, from 0; else in the middle")
    add("--unit", choices=("frames", "seconds"), help="of --step and --start")


def add_levels(command: argparse.ArgumentParser) -> None:
    """Add the option for pictures of more than 8 bits."""
    command.add_argument(
        "--levels", metavar="LOW,HIGH",
        help="values that are black and white in pictures of more than 8 bits, e.g. 0,4095",
    )  # fmt: skip


def levels(args: argparse.Namespace) -> tuple[float, float] | None:
    """Return what was given as --levels."""
    return None if args.levels is None else pixel(args.levels, "--levels")


def unsaid(_note: str) -> None:
    """Say nothing of a note yet: commands print all of them with what they did."""


def noted(clip: Clip) -> list[str]:
    """Return what was assumed about the file of a clip, a line each."""
    return [f"note: {clip.name}: {note}" for note in clip.notes]


def add_look(command: argparse.ArgumentParser) -> None:
    """Add the options that say how maps are shown; what they take is read from ``Look``."""
    add = command.add_argument
    low, high = looks.bounds(Look, "threshold")
    add("--threshold", type=float,
        help=f"shown from this part of the highest value up, {low:g} to {high:g}")  # fmt: skip
    add("--normalise", choices=looks.choices(Look, "normalise"), help="what values are scaled over")
    add("--range", help="LOW,HIGH of the fixed normalisation")
    add("--colormap", choices=looks.choices(Look, "colormap"))
    low, high = looks.bounds(Look, "heat_opacity")
    add("--opacity", type=float, help=f"of the heat, {low:g} to {high:g}")
    add("--interpolation", choices=looks.choices(Look, "interpolation"))
    add("--arrows", type=int, help="to so many highest values, e.g. 20")
    add("--display", choices=looks.choices(Look, "display"),
        help="values as they are, their logarithm, or without the reference's own cell; auto: "
        "without it where it is more than twice as high as all others")  # fmt: skip
    add("--cut", choices=looks.choices(Look, "cut"),
        help="by value: from --threshold; by area: the top --share of the cells; by mass: the "
        "fewest cells that hold --share of the sum")  # fmt: skip
    low, high = looks.bounds(Look, "share")
    add("--share", type=float, help=f"of the cells or of the sum, {low:g} to {high:g}")


def look(args: argparse.Namespace) -> dict[str, object]:
    """Return the fields of Look that were given; InputError for one that is out of range."""
    found = {_LOOK[name]: getattr(args, name) for name in _LOOK if getattr(args, name) is not None}
    for option, field in _LOOK.items():
        if field in found:
            looks.check(Look, field, found[field], f"--{option}")
    if (args.range is None) != (args.normalise != "fixed"):
        raise InputError("--range LOW,HIGH and --normalise fixed go together; give both or none.")
    if args.range is None:
        return found
    low, high = pixel(args.range, "--range")
    looks.check_range(low, high, "--range")
    return {**found, "fixed_range": (low, high)}


_LIKE = {2: "two numbers like 120,80", 4: "four numbers like 0,0,640,480"}


def pixel(text: str, what: str) -> tuple[float, float]:
    """Return two finite numbers of a text like 120,80; InputError says which option it was."""
    first, second = numbers(text, what, 2)
    return first, second


def numbers(text: str, what: str, count: int) -> tuple[float, ...]:
    """Return ``count`` finite numbers with commas between; InputError names the option."""
    try:
        found = tuple(float(part) for part in text.split(","))
    except ValueError:
        found = ()
    if len(found) != count or not all(map(isfinite, found)):
        raise InputError(f"{what} {text[:40]!r} cannot be read; give {_LIKE[count]}.")
    return found


def sampling(args: argparse.Namespace, spec: NetworkSpec) -> Sampling:
    """Return which frames are taken: as asked, and else as the network was made for."""
    if args.unit == "seconds" and args.step is None:
        raise InputError("--unit seconds needs --step in seconds too, like 0.25.")
    usual = pipeline.sampling_for(spec)
    frames = usual.frames if args.frames is None else args.frames
    step = usual.step if args.step is None else args.step
    if not 1 <= frames <= MAX_FRAMES:
        raise InputError(f"--frames {frames} is out of range; give 1 to {MAX_FRAMES}.")
    if not (step > 0 and isfinite(step)):
        raise InputError(f"--step {step:g} is out of range; give a number above 0.")
    if args.start is not None and not (args.start >= 0 and isfinite(args.start)):
        raise InputError(f"--start {args.start:g} is out of range; give a number from 0.")
    return Sampling(frames, step, args.start, args.unit or usual.unit)


def refuse_sampling(args: argparse.Namespace, name: str, *more: str) -> None:
    """Raise InputError where options of clips are given with a single picture called ``name``."""
    given = [f"--{option}" for option in (*_SAMPLING, *more) if getattr(args, option) is not None]
    if given:
        raise InputError(
            f"{', '.join(given)} does not go with a single picture, {name}; leave it out, or give "
            "a clip, a GIF, a zip or a folder of frames."
        )
