"""``python -m viz maps``: what a reference attends to, as pictures, arrays and movies."""

import argparse
import re
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from errors import InputError, MachineError
from models.specs.network import NetworkSpec
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS, derived_names, selection
from viz.cli import models as models_command
from viz.cli import options
from viz.figure import composition
from viz.figure.api import Figure
from viz.figure.files import maps_file, movie
from viz.figure.options import Asked
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe
from viz.figure.resolve import Scene, Shot, scene
from viz.figure.sources import FileSources
from viz.geometry import MODES
from viz.media.footage import Footage
from viz.rendering import heat
from viz.rendering.look import Look
from viz.rendering.movie_files import Progress
from viz.types import AttentionMap, Sampling

_REDRAWN_EVERY_S = 0.2


def add_maps(maps: argparse.ArgumentParser) -> None:
    """Add the options of ``maps``."""
    maps.add_argument("input", help="a picture, a clip, a GIF, a zip or a folder of frames")
    maps.add_argument("--model", required=True, help="name of `models`, or path of a checkpoint")
    models_command.add_answers(maps)
    maps.add_argument("--at", required=True, help="X,Y: reference in pixels of the picture")
    maps.add_argument(
        "--frame", type=int, default=0, help="frame of the reference, sampled frames from 0"
    )
    options.add_sampling(maps)
    maps.add_argument("--video", metavar="KINDS", help=f"movies too: {','.join(movie.KINDS)}")
    maps.add_argument("--block", help="block, e.g. res4.4; the last one when left out")
    maps.add_argument("--kind", help=kind_help())
    add_maps_option(maps, default="auto")
    maps.add_argument("--out", type=Path, required=True, help="folder to write to")
    maps.add_argument(
        "--mode", choices=MODES, default="fit", help="whole picture, or test protocol"
    )
    maps.add_argument(
        "--size", type=int, help="input side in pixels; the network's own if left out"
    )
    options.add_look(maps)


def add_maps_option(command: argparse.ArgumentParser, **how: object) -> None:
    """Add --maps, which is called --channels too."""
    text = "which of several maps: auto, groups, a ranking, or 0,3,17"
    command.add_argument("--maps", "--channels", dest="maps", help=text, **how)


def kind_help() -> str:
    """Return what --kind takes, in words."""
    words = (f"{name} ({KINDS[name].menu})" for name in derived_names())
    return f"instead of the block's own maps: {', '.join(words)}"


def _movies(text: str | None) -> tuple[str, ...]:
    """Return the kinds of movies that are asked for."""
    kinds = () if text is None else tuple(dict.fromkeys(text.split(",")))
    if not set(kinds) <= movie.KINDS.keys():
        raise InputError(
            f"--video {text[:40]!r} is not known; give one or more of {', '.join(movie.KINDS)}, "
            "with commas."
        )
    return kinds


def maps(args: argparse.Namespace) -> list[str]:
    """Write pictures, arrays, movies and the recipe of one reference; return what to print."""
    look, at = Look(**options.look(args)), options.pixel(args.at, "--at")
    kinds = _movies(args.video)
    selection(args.maps)
    sources = FileSources(load=models_command.load_answered)
    found, answers = sources.footage(args.input), models_command.answers(args)
    if not found.is_clip:
        options.refuse_sampling(args, found.name, "video")
    model = sources.network(args.model, answers)
    asked = _asked(args, found, model.spec)
    references = composition.references(sources, [args.input], [args.model], at, asked)
    recipe = composition.view_recipe(references, look)
    one = scene(references[0], sources)
    (shot,) = one.shots
    files = _drawn(args.input, recipe, shot, sources, kinds)
    files["maps.npz"] = maps_file.npz([shot], args.frame, one.clip)
    # It draws the first of the pictures; the others have their own inside.
    files["recipe.json"] = recipe_json.dumps(_showing(recipe, shot.maps[0])).encode()
    _write(args.out, files)
    return [
        *_account(one, shot),
        *(_ranged(attention, look) for attention in shot.maps),
        *(f"wrote {args.out / name}" for name in files),
    ]


def _asked(args: argparse.Namespace, found: Footage, spec: NetworkSpec) -> Asked:
    taken: Sampling | None = options.sampling(args, spec) if found.is_clip else None
    return Asked(
        frame=args.frame,
        sampling=taken,
        answers=models_command.answers(args),
        block=args.block,
        kind=args.kind,
        mode=args.mode,
        size=args.size,
        maps=args.maps,
    )


def _drawn(
    path: str, recipe: Recipe, shot: Shot, sources: FileSources, kinds: tuple[str, ...]
) -> dict[str, bytes]:
    """Return a picture of each map, and then its movies, by file name."""
    stem, files = Path(path).absolute().stem.replace(":", "-"), {}
    for attention in shot.maps:
        figure = Figure(_showing(recipe, attention), sources)
        label = re.sub(r"\W+", "-", attention.label)
        files[f"{stem}-{label}.png"] = figure.content("png")
        for kind in kinds:
            name = f"{stem}-{label}.{kind}"
            files[name] = figure.content(kind, show_frames(name))
    return files


def _showing(recipe: Recipe, attention: AttentionMap) -> Recipe:
    """Return the recipe of the view that shows one of its maps large."""
    if not attention.part:
        return recipe
    (reference,) = recipe.references
    (view,) = reference.views
    shown = replace(view, shown=MapChoice(attention.part, attention.number))
    return replace(recipe, references=(replace(reference, views=(shown,)),))


def show_frames(name: str) -> Progress:
    """Return a progress that writes one moving line to stderr, where somebody can see it."""
    drawn = [0.0]

    def show(done: int, total: int) -> None:
        early = time.monotonic() - drawn[0] < _REDRAWN_EVERY_S and done < total
        if early or not sys.stderr.isatty():
            return
        drawn[0] = time.monotonic()
        sys.stderr.write(f"\r{name}: frame {done} of {total}" + ("\n" if done == total else ""))

    return show


def _account(one: Scene, shot: Shot) -> list[str]:
    """Return what the network saw, and where the reference is."""
    clip, model, cell, grid = one.clip, shot.model, shot.cell, shot.block.query_grid
    guess = shot.capture.logits.softmax(0).max(0)
    lines = [
        f"{clip.name} {clip.width} x {clip.height}: {model.class_name(int(guess.indices))} "
        f"{guess.values:.2f} by {model.id}"
    ]
    if len(clip.frames) > 1:
        frame = one.reference.frame
        number = clip.numbers[frame] if clip.numbers else frame
        lines.append(
            f"frame {frame} of {len(clip.frames)}, at {clip.timestamps[frame]:.2f} s, number "
            f"{number} of the footage"
        )
    lines.append(
        f"{shot.block.label}: reference row {cell.y}, column {cell.x} of {grid.rows} x "
        f"{grid.cols} cells"
    )
    return lines


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
