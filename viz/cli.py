"""The command line: ``python -m viz models``, ``inspect`` and ``maps``.

Exit codes: 0 done, 2 wrong usage or bad input (one line on stderr), 1 our bug.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite
from pathlib import Path

from errors import AttentionVizError, InputError, MachineError
from viz import cli_models, heat, media, overlay, pipeline, save
from viz.types import AttentionMap, Look

MODES = ("fit", "center-crop")
SIZES = (64, 1024)


def parser() -> argparse.ArgumentParser:
    """Return the parser of every command and option."""
    top = argparse.ArgumentParser(
        prog="python -m viz", description="See what non-local networks attend to."
    )
    commands = top.add_subparsers(dest="command", required=True)
    cli_models.add_models(commands)
    maps = commands.add_parser(
        "maps", help="PNG overlays, float32 maps and a recipe of one reference"
    )
    maps.add_argument("input", type=Path, help="a picture")
    maps.add_argument("--model", required=True, help="name of `models`, or path of a checkpoint")
    cli_models.add_answers(maps)
    maps.add_argument("--at", required=True, help="X,Y: reference in pixels of the picture")
    maps.add_argument("--frame", type=int, default=0, help="frame of the reference")
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
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    args = parser().parse_args(arguments)
    try:
        lines = _COMMANDS[args.command](args)
    except AttentionVizError as problem:
        print(cli_models.explained(problem), file=sys.stderr)
        return 2
    print("\n".join(lines))
    return 0


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
    if (args.range is None) != (args.normalise != "fixed"):
        raise InputError("--range LOW,HIGH and --normalise fixed go together; give both or none.")
    low, high = _numbers(args.range, "--range") if args.range else Look.fixed_range
    if not low < high:
        raise InputError(f"--range {low:g},{high:g} came; the first must be below the second.")
    return Look(
        args.normalise, args.threshold, args.colormap, args.opacity, args.interpolation, (low, high)
    )


def _maps(args: argparse.Namespace) -> list[str]:
    look, at = _look(args), _numbers(args.at, "--at")
    if args.size is not None and not SIZES[0] <= args.size <= SIZES[1]:
        raise InputError(f"--size {args.size} came; give {SIZES[0]} to {SIZES[1]} pixels.")
    wanted = pipeline.channels_from(args.channels)
    clip = media.load(args.input)
    model = cli_models.load(args.model, args)
    taken = pipeline.capture(model, clip, args.mode, args.size)
    block = pipeline.block_of(taken, args.block)
    cell = pipeline.cell_at(taken, block, at, args.frame)
    maps = pipeline.maps_at(block, cell, wanted)
    view = save.View(
        model.id,
        model.sha256,
        f"{model.id}, {block.place.label}",
        "one map" if maps[0].label == "NL" else args.channels,
        taken.geometry,
        block.query_grid,
        cell,
        tuple(maps),
        maps[0],
    )
    size = args.size or model.spec.preprocessing.size
    files = {
        f"{args.input.stem}-{m.label}.png": save.view_png(clip, [replace(view, shown=m)], look)
        for m in maps
    }
    files["maps.npz"] = save.maps_npz([view])
    files["recipe.json"] = save.recipe_json(clip, [view], look, args.mode, size)
    _write(args.out, files)
    guess = taken.logits.softmax(0).max(0)
    return [
        f"{clip.name} {clip.width} x {clip.height}: {model.class_name(int(guess.indices))} "
        f"{guess.values:.2f} by {model.id}",
        f"{block.place.label}: reference row {cell.y}, column {cell.x} of "
        f"{block.query_grid.rows} x {block.query_grid.cols} cells",
        *(_ranged(m, look) for m in maps),
        *(f"wrote {args.out / name}" for name in files),
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


_COMMANDS = {
    "models": lambda _args: cli_models.models(),
    "inspect": cli_models.inspect,
    "maps": _maps,
}
