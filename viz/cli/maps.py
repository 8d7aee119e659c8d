"""``python -m viz maps``: what a reference attends to, as pictures, arrays and movies."""

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from errors import InputError, MachineError
from models.loaded import LoadedModel
from models.specs.network import NetworkSpec
from viz.attention import pipeline
from viz.cli import models as models_command
from viz.cli import options
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Recipe
from viz.media import footage
from viz.rendering import heat, movie_files, save
from viz.types import AttentionMap, Clip, Look

MODES = ("fit", "center-crop")
SIZES = (64, 1024)
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
    models_command.add_answers(maps)
    maps.add_argument("--at", required=True, help="X,Y: reference in pixels of the picture")
    maps.add_argument(
        "--frame", type=int, default=0, help="frame of the reference, sampled frames from 0"
    )
    options.add_sampling(maps)
    maps.add_argument("--video", metavar="KINDS", help=f"movies too: {','.join(movie_files.KINDS)}")
    maps.add_argument("--block", help="block, e.g. res4.4; the last one when left out")
    maps.add_argument("--channels", default="auto", help="auto, groups, a ranking, or 0,3,17")
    maps.add_argument("--out", type=Path, required=True, help="folder to write to")
    maps.add_argument(
        "--mode", choices=MODES, default="fit", help="whole picture, or test protocol"
    )
    maps.add_argument(
        "--size", type=int, help="input side in pixels; the network's own if left out"
    )
    options.add_look(maps)


def _checked(args: argparse.Namespace) -> tuple[str, ...]:
    """Refuse numbers that are out of range; return the kinds of movies."""
    if args.size is not None and not SIZES[0] <= args.size <= SIZES[1]:
        raise InputError(f"--size {args.size} came; give {SIZES[0]} to {SIZES[1]} pixels.")
    kinds = () if args.video is None else tuple(dict.fromkeys(args.video.split(",")))
    if not set(kinds) <= movie_files.KINDS.keys():
        raise InputError(
            f"--video {args.video[:40]!r} came; give one or more of "
            f"{', '.join(movie_files.KINDS)}, with commas."
        )
    return kinds


def _clip(args: argparse.Namespace, found: footage.Footage, spec: NetworkSpec) -> Clip:
    if not found.is_clip:
        options.refuse_sampling(args, found.name, "video")
    return found.sample(options.sampling(args, spec))


def maps(args: argparse.Namespace) -> list[str]:
    """Write pictures, arrays, movies and the recipe of one reference; return what to print."""
    look = Look(**options.look(args))
    at, kinds = options.pixel(args.at, "--at"), _checked(args)
    wanted = pipeline.channels_from(args.channels)
    found = footage.load(args.input)
    model = models_command.load(args.model, args)
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
    files["maps.npz"] = save.maps_npz([view], clip)
    files["recipe.json"] = recipe_json.dumps(_recipe(args, clip, model, view, look)).encode()
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


def _recipe(
    args: argparse.Namespace, clip: Clip, model: LoadedModel, view: save.View, look: Look
) -> Recipe:
    """Return the recipe of a figure of this view, which ``render`` draws."""
    answers = tuple(sorted(models_command.answers(args).items()))
    shown = recipe.View(
        recipe.Network(args.model, model.sha256, answers),
        view.shown.query.block,
        args.mode,
        args.size,
        args.channels,
    )
    medium = recipe.Medium(str(args.input), clip.sha256, clip.numbers)
    at = options.pixel(args.at, "--at")
    reference = recipe.Reference(medium, (shown,), at, args.frame)
    return recipe_json.checked(recipe.of_view(reference, look))


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
            files[name] = movie_files.write(clip, shown, look, kind, show_frames(name))
    return files


def show_frames(name: str) -> movie_files.Progress:
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
