"""``python -m viz maps``: what a reference attends to, as pictures, arrays and movies."""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from math import isfinite
from pathlib import Path

from errors import InputError, MachineError
from models.specs import MAX_FRAMES, NetworkSpec
from viz import cli_models, footage, heat, motion, overlay, pipeline, save
from viz.types import AttentionMap, Clip, Look, Sampling

MODES = ("fit", "center-crop")
SIZES = (64, 1024)
MAX_ARROWS = 200
_OF_CLIPS = ("frames", "step", "start", "unit", "video")
_REDRAWN_EVERY_S = 0.2


def add_maps(commands: argparse._SubParsersAction) -> None:
    """Add the command ``maps``."""
    maps = commands.add_parser(
        "maps", help="PNG overlays, float32 maps, movies and a recipe of one reference"
    )
    maps.add_argument(
        "input", type=Path, help="a picture, a clip, a GIF, a zip or a folder of frames"
    )
    maps.add_argument("--model", required=True, help="name of `models`, or path of a checkpoint")
    cli_models.add_answers(maps)
    maps.add_argument("--at", required=True, help="X,Y: reference in pixels of the picture")
    maps.add_argument(
        "--frame", type=int, default=0, help="frame of the reference, sampled frames from 0"
    )
    _add_sampling(maps)
    maps.add_argument("--block", help="block, e.g. res4.4; the last one when left out")
    maps.add_argument("--channels", default="auto", help="auto, groups, a ranking, or 0,3,17")
    maps.add_argument("--out", type=Path, required=True, help="folder to write to")
    maps.add_argument(
        "--mode", choices=MODES, default="fit", help="whole picture, or test protocol"
    )
    maps.add_argument(
        "--size", type=int, help="input side in pixels; the network's own if left out"
    )
    maps.add_argument("--threshold", type=float, default=Look.threshold)
    maps.add_argument("--normalise", choices=("clip", "frame", "fixed"), default=Look.normalise)
    maps.add_argument("--range", help="LOW,HIGH of the fixed normalisation")
    maps.add_argument("--colormap", choices=tuple(overlay.COLORMAPS), default=Look.colormap)
    maps.add_argument("--opacity", type=float, default=Look.heat_opacity)
    maps.add_argument("--interpolation", choices=("smooth", "nearest"), default=Look.interpolation)


def _add_sampling(maps: argparse.ArgumentParser) -> None:
    maps.add_argument("--frames", type=int, help="how many frames of a clip; else the network's")
    maps.add_argument("--step", type=float, help="from one frame to the next; else the network's")
    maps.add_argument("--start", type=float, help="the first frame, from 0; else in the middle")
    maps.add_argument("--unit", choices=("frames", "seconds"), help="of --step and --start")
    maps.add_argument("--video", metavar="KINDS", help=f"movies too: {','.join(motion.KINDS)}")
    maps.add_argument("--arrows", type=int, default=0, help="to so many highest values, e.g. 20")


def _numbers(text: str, what: str) -> tuple[float, float]:
    try:
        first, second = (float(part) for part in text.split(","))
    except ValueError as problem:
        raise InputError(f"{what} {text[:40]!r} came; give two numbers like 120,80.") from problem
    if not (isfinite(first) and isfinite(second)):
        raise InputError(f"{what} {text[:40]!r} came; give two numbers like 120,80.")
    return first, second


def _look(args: argparse.Namespace) -> Look:
    for name in ("threshold", "opacity"):
        value = getattr(args, name)
        if not 0 <= value <= 1:
            raise InputError(f"--{name} {value:g} came; give a number from 0 to 1.")
    if not 0 <= args.arrows <= MAX_ARROWS:
        raise InputError(f"--arrows {args.arrows} came; give 0 to {MAX_ARROWS}.")
    if (args.range is None) != (args.normalise != "fixed"):
        raise InputError("--range LOW,HIGH and --normalise fixed go together; give both or none.")
    low, high = _numbers(args.range, "--range") if args.range else Look.fixed_range
    if not low < high:
        raise InputError(f"--range {low:g},{high:g} came; the first must be below the second.")
    return Look(
        args.normalise, args.threshold, args.colormap, args.opacity, args.interpolation,
        (low, high), args.arrows,
    )  # fmt: skip


def _checked(args: argparse.Namespace) -> tuple[str, ...]:
    """Refuse numbers that are out of range; return the kinds of movies."""
    if args.size is not None and not SIZES[0] <= args.size <= SIZES[1]:
        raise InputError(f"--size {args.size} came; give {SIZES[0]} to {SIZES[1]} pixels.")
    kinds = () if args.video is None else tuple(dict.fromkeys(args.video.split(",")))
    if not set(kinds) <= motion.KINDS.keys():
        raise InputError(
            f"--video {args.video[:40]!r} came; give one or more of {', '.join(motion.KINDS)}, "
            "with commas."
        )
    return kinds


def _sampling(args: argparse.Namespace, spec: NetworkSpec) -> Sampling:
    """Return which frames are taken: as asked, and else as the network was made for."""
    if args.unit == "seconds" and args.step is None:
        raise InputError("--unit seconds came alone; give --step in seconds too, like 0.25.")
    usual = pipeline.sampling_for(spec)
    frames = usual.frames if args.frames is None else args.frames
    step = usual.step if args.step is None else args.step
    if not 1 <= frames <= MAX_FRAMES:
        raise InputError(f"--frames {frames} came; give 1 to {MAX_FRAMES}.")
    if not (step > 0 and isfinite(step)):
        raise InputError(f"--step {step:g} came; give a number above 0.")
    if args.start is not None and not (args.start >= 0 and isfinite(args.start)):
        raise InputError(f"--start {args.start:g} came; give a number from 0.")
    return Sampling(frames, step, args.start, args.unit or usual.unit)


def _clip(args: argparse.Namespace, found: footage.Footage, spec: NetworkSpec) -> Clip:
    given = [f"--{name}" for name in _OF_CLIPS if getattr(args, name) is not None]
    if not found.is_clip and given:
        raise InputError(
            f"{', '.join(given)} came with a single picture, {found.name}; leave it out, or give a "
            "clip, a GIF, a zip or a folder of frames."
        )
    return found.sample(_sampling(args, spec))


def maps(args: argparse.Namespace) -> list[str]:
    """Write pictures, arrays, movies and the recipe of one reference; return what to print."""
    look, at, kinds = _look(args), _numbers(args.at, "--at"), _checked(args)
    wanted = pipeline.channels_from(args.channels)
    found = footage.load(args.input)
    model = cli_models.load(args.model, args)
    clip = _clip(args, found, model.spec)
    taken = pipeline.capture(model, clip, args.mode, args.size)
    block = pipeline.block_of(taken, args.block)
    cell = pipeline.cell_at(taken, block, at, args.frame)
    found_maps = pipeline.maps_at(block, cell, wanted)
    view = save.View(
        model.id,
        model.sha256,
        f"{model.id}, {block.place.label}",
        "one map" if found_maps[0].label == "NL" else args.channels,
        taken.geometry,
        block.query_grid,
        cell,
        tuple(found_maps),
        found_maps[0],
        args.frame,
    )
    files = _drawn(args, clip, view, look, kinds)
    size = args.size or model.spec.preprocessing.size
    files["maps.npz"] = save.maps_npz([view], clip)
    files["recipe.json"] = save.recipe_json(clip, [view], look, args.mode, size)
    _write(args.out, files)
    guess = taken.logits.softmax(0).max(0)
    return [
        f"{clip.name} {clip.width} x {clip.height}: {model.class_name(int(guess.indices))} "
        f"{guess.values:.2f} by {model.id}",
        *_frame_line(clip, args.frame),
        f"{block.place.label}: reference row {cell.y}, column {cell.x} of "
        f"{block.query_grid.rows} x {block.query_grid.cols} cells",
        *(_ranged(m, look) for m in found_maps),
        *(f"wrote {args.out / name}" for name in files),
    ]


def _drawn(
    args: argparse.Namespace, clip: Clip, view: save.View, look: Look, kinds: tuple[str, ...]
) -> dict[str, bytes]:
    """Return a picture of each map, and then its movies, by file name."""
    stem = args.input.absolute().stem
    files = {}
    for m in view.maps:
        shown = [replace(view, shown=m)]
        files[f"{stem}-{m.label}.png"] = save.view_png(clip, shown, look)
        for kind in kinds:
            name = f"{stem}-{m.label}.{kind}"
            files[name] = motion.write(clip, shown, look, kind, show_frames(name))
    return files


def show_frames(name: str) -> motion.Progress:
    """Return a progress that writes one moving line to stderr, where somebody can see it."""
    drawn = [0.0]

    def show(done: int, total: int) -> None:
        early = time.monotonic() - drawn[0] < _REDRAWN_EVERY_S and done < total
        if early or not sys.stderr.isatty():
            return
        drawn[0] = time.monotonic()
        sys.stderr.write(f"\r{name}: frame {done} of {total}" + ("\n" if done == total else ""))

    return show


def _frame_line(clip: Clip, frame: int) -> list[str]:
    if len(clip.frames) == 1:
        return []
    number = clip.numbers[frame] if clip.numbers else frame
    return [
        f"frame {frame} of {len(clip.frames)}, at {clip.timestamps[frame]:.2f} s, number {number} "
        "of the footage"
    ]


def _ranged(attention: AttentionMap, look: Look) -> str:
    values = attention.values
    note = " (constant: nothing to show)" if heat.normalise(attention, look).constant else ""
    return f"{attention.label:>6}  {values.min():.6g} to {values.max():.6g}{note}"


def _write(folder: Path, files: dict[str, bytes]) -> None:
    """Write every file or none: into a temporary folder inside the target, then renamed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
            for name, content in files.items():
                (Path(part) / name).write_bytes(content)
            for name in files:
                (Path(part) / name).replace(folder / name)
    except OSError as problem:
        raise MachineError(
            f"{folder} could not be written ({problem.strerror}); choose a folder that can be."
        ) from problem
