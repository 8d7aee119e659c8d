"""``python -m viz maps``: what references attend to, as pictures, arrays and movies."""

import argparse
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from errors import InputError
from models.specs.network import NetworkSpec
from viz.attention import matches
from viz.attention.choice import MapChoice
from viz.attention.detection import objects
from viz.attention.kinds.registry import KINDS, derived_names, selection
from viz.attention.predictions import prediction_words, size_words
from viz.cli import file_set, options, people
from viz.cli import models as models_command
from viz.evaluation.block_statistics import block_statistics
from viz.figure import composition
from viz.figure.api import Figure
from viz.figure.files import heat_file, maps_file, movie
from viz.figure.options import Asked
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe, Reference
from viz.figure.resolve import Scene, Shot, scene
from viz.figure.sources import FileSources
from viz.geometry import MODES
from viz.media.footage import Footage
from viz.rendering import heat
from viz.rendering.look import Look
from viz.rendering.movie_files import Progress
from viz.types import AttentionMap

_REDRAWN_EVERY_S = 0.2
_LISTED = 20


def add_maps(maps: argparse.ArgumentParser) -> None:
    """Add the options of ``maps``."""
    maps.add_argument(
        "inputs", nargs="+", metavar="INPUT", type=options.from_here,
        help="pictures, clips, GIFs, zips or folders of frames, example:bird, example:kick",
    )  # fmt: skip
    maps.add_argument(
        "--model", required=True, type=options.from_here,
        help="name of `models`, or path of a checkpoint",
    )  # fmt: skip
    models_command.add_answers(maps)
    where = maps.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--at", action="append", metavar="X,Y",
        help="reference in pixels of the picture; once for all inputs, or once for each",
    )  # fmt: skip
    where.add_argument(
        "--object", type=int, metavar="N",
        help="of a detector: the middle of object N, best score first, from 0",
    )  # fmt: skip
    maps.add_argument(
        "--mean", action="store_true", help="with --object: the mean over all its patches"
    )
    maps.add_argument(
        "--frame", type=int, action="append",
        help="frame of the reference, sampled frames from 0; likewise",
    )  # fmt: skip
    maps.add_argument(
        "--second", action="append", metavar="PICTURE", type=options.from_here,
        help="a second picture, in which matches of the patch are shown; likewise",
    )  # fmt: skip
    people.add_boxes(maps)
    options.add_levels(maps)
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
    """Write pictures, arrays, movies and the recipe of every input; return what to print.

    The files of several inputs stand in a folder each, which is called like the input.
    """
    if args.mean and args.object is None:
        raise InputError("--mean needs --object; give the number of one, from 0.")
    look, at = Look(**options.look(args)), [options.pixel(text, "--at") for text in args.at or ()]
    kinds, levels = _movies(args.video), options.levels(args)
    selection(args.maps)
    loading = models_command.Loading(args)
    sources = FileSources(load=loading, said=options.unsaid)
    found = [sources.footage(path, levels) for path in args.inputs]
    if not any(one.is_clip for one in found):
        options.refuse_sampling(args, found[0].name, "video")
    model = sources.network(args.model, loading.answers)
    assumed = loading.account()
    asked = _asked(args, found, model.spec)
    references = composition.references(sources, args.inputs, [args.model], at, asked)
    files, lines = {}, []
    for folder, reference in zip(_folders(args.inputs), references, strict=True):
        made, told = _of_one(reference, look, sources, kinds, args.boxes)
        files |= {str(Path(folder, name)): content for name, content in made.items()}
        lines += told
    file_set.write(args.out, files)
    return [*assumed, *lines, *(f"wrote {args.out / name}" for name in files)]


def _of_one(
    reference: Reference,
    look: Look,
    sources: FileSources,
    kinds: tuple[str, ...],
    boxes: str | None,
) -> tuple[dict[str, bytes], list[str]]:
    """Return the files of one reference by their names, and what to print of it."""
    (reference,) = composition.by_answer([reference], sources)
    recipe = composition.view_recipe([reference], look)
    one = scene(reference, sources)
    (shot,) = one.shots
    shot = replace(shot, answer=composition.answer(reference.medium, shot.view, sources))
    files = _drawn(recipe, one, sources, kinds if one.reference.medium.is_clip else ())
    files["maps.npz"] = maps_file.npz([shot], reference.frame, one.clip, second=one.second)
    # It draws the first of the pictures; the others have their own inside.
    files["recipe.json"] = recipe_json.dumps(_showing(recipe, shot.maps[0])).encode()
    found = people.asked(boxes, shot.capture, one.clip)
    if found:
        files["people.csv"] = people.table(shot.capture, found)
    lines = [*_account(one, shot), *people.told(boxes, shot.capture, found)]
    told = [*lines, *(_ranged(attention, look) for attention in shot.maps)]
    return files, [*told, *(_matches(one.second) if one.second else ())]


def _matches(second: Scene) -> list[str]:
    """Return the best matches of each map in the second picture, a line each."""
    (shot,) = second.shots
    lines = []
    for attention in shot.maps:
        for number, (cell, value) in enumerate(matches.best(attention), 1):
            x, y = shot.geometry.cell_centre(cell.y, cell.x, shot.block.key_grid)
            lines.append(
                f"{attention.label:>6}  match {number} in {second.clip.name}: row {cell.y}, column "
                f"{cell.x} (x {x:.0f} y {y:.0f}), {value:.6g}"
            )
    return lines


def _asked(args: argparse.Namespace, found: Sequence[Footage], spec: NetworkSpec) -> Asked:
    moving = any(one.is_clip for one in found)
    return Asked(
        frame=args.frame or 0,
        sampling=options.sampling(args, spec) if moving else None,
        answers=models_command.answers(args),
        levels=options.levels(args),
        second=args.second,
        object=args.object,
        mean=args.mean,
        block=args.block,
        kind=args.kind,
        mode=args.mode,
        size=args.size,
        maps=args.maps,
    )


def _folders(inputs: Sequence[str]) -> list[str]:
    """Return the folder of each input's files: the only one's is --out itself."""
    if len(inputs) == 1:
        return [""]
    found: list[str] = []
    for path in inputs:
        name = _stem(path)
        again = (f"{name}-{number}" for number in count(2))
        while name in found:
            name = next(again)
        found.append(name)
    return found


def _stem(path: str) -> str:
    return Path(path).absolute().stem.replace(":", "-").replace("*", "") or "frames"


def _drawn(
    recipe: Recipe, one: Scene, sources: FileSources, kinds: tuple[str, ...]
) -> dict[str, bytes]:
    """Return by file name a picture of each map, in the folder heat its heat alone, and movies."""
    (shot,) = one.shots
    stem, files = _stem(one.reference.medium.path), {}
    for attention in shot.maps:
        figure = Figure(_showing(recipe, attention), sources)
        label = re.sub(r"\W+", "-", attention.label)
        files[f"{stem}-{label}.png"] = figure.content("png")
        files[f"heat/{stem}-{label}.png"] = heat_file.png(one, shot, attention, recipe.look)
        if one.second is not None:
            (there,) = one.second.shots
            same = next(other for other in there.maps if other.label == attention.label)
            name = f"heat/{stem}-{label}-second.png"
            files[name] = heat_file.png(one.second, there, same, recipe.look)
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


def show_frames(name: str, what: str = "frame") -> Progress:
    """Return a progress that writes one moving line to stderr, where somebody can see it."""
    drawn = [0.0]

    def show(done: int, total: int) -> None:
        early = time.monotonic() - drawn[0] < _REDRAWN_EVERY_S and done < total
        if early or not sys.stderr.isatty():
            return
        drawn[0] = time.monotonic()
        sys.stderr.write(f"\r{name}: {what} {done} of {total}" + ("\n" if done == total else ""))

    return show


def _account(one: Scene, shot: Shot) -> list[str]:
    """Return what the network saw, and where the reference is."""
    clip, model, cell, grid = one.clip, shot.model, shot.cell, shot.block.query_grid
    guess = prediction_words(shot.answering)
    at_size = size_words(shot.answering, shot.view.size)
    lines = [f"{clip.name} {clip.width} x {clip.height}: {guess} by {model.id}{at_size}"]
    if objects.is_detector(shot.capture):
        lines += _listed(shot, one.reference.frame)
    if len(clip.frames) > 1:
        frame = one.reference.frame
        number = clip.numbers[frame] if clip.numbers else frame
        lines.append(
            f"frame {frame} of {len(clip.frames)}, at {clip.timestamps[frame]:.2f} s, number "
            f"{number} of the footage"
        )
    lines += options.noted(clip)
    lines.append(
        f"{shot.block.label}: reference row {cell.y}, column {cell.x} of {grid.rows} x "
        f"{grid.cols} cells"
    )
    lines += shot.kind.notes(shot.block, cell)
    lines += (_ranking(one) for one in shot.kind.scores(shot.block, cell))
    if values := block_statistics(shot.block):
        told = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
        lines.append(f"all maps of {shot.block.label}: {told}")
    return lines


def _ranking(scores: Mapping[str, object]) -> str:
    """Return what a head is ranked by: its number, then each measure."""
    (part, number), *rest = scores.items()
    return f"{part} {number}: {', '.join(f'{name} {value}' for name, value in rest)}"


def _listed(shot: Shot, frame: int) -> list[str]:
    """Return a line for each of the best objects."""
    found = objects.found(shot.capture, frame, 0.0)[:_LISTED]
    return [
        f"object {one.words}, {one.box.left:.0f},{one.box.top:.0f} to "
        f"{one.box.right:.0f},{one.box.bottom:.0f}"
        for one in found
    ]


def _ranged(attention: AttentionMap, look: Look) -> str:
    values = attention.values
    note = " (constant: nothing to show)" if heat.normalise(attention, look).constant else ""
    return f"{attention.label:>6}  {values.min():.6g} to {values.max():.6g}{note}"
