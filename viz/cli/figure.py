"""``python -m viz figure`` and ``render``: figures from inputs, and again from their recipe."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

from errors import InputError, counted
from viz.cli import models as models_command
from viz.cli import options
from viz.cli.maps import add_maps_option, kind_help, show_frames
from viz.figure import api as figures
from viz.figure import composition
from viz.figure import sources as source_files
from viz.figure.api import Figure
from viz.figure.files import export
from viz.figure.options import OF_VIEWS
from viz.figure.page.plan import too_tall
from viz.figure.recipe import file_names, recipe, recipe_json
from viz.figure.recipe.recipe import Layout, Medium, Recipe
from viz.figure.sources import FileSources
from viz.geometry import MODES

_EACH = "; once for all networks, or once for each"
_VIEW = {
    "block": {"help": "block, e.g. res4.4, or gate layer; the last one when left out"},
    "mode": {"choices": MODES, "help": "whole picture, or test protocol"},
    "size": {"type": int, "help": "input side in pixels; the network's own if left out"},
    "kind": {"help": kind_help()},
    "count": {"type": int, "help": "how many of them"},
    "shown": {
        "help": "the one map shown where there is room for one: channel 1, c17, group 0, "
        "class 1, union"
    },
    "label": {"help": "name of the network in the figure"},
}
_LAYOUT = {
    "width": "mm, a length like 3.25in, or " + ", ".join(composition.VENUES),
    "dpi": "of PNGs, and of the pictures in PDFs and SVGs",
    "gap": "between panels, in mm",
    "font": None,
    "own-font": "in place of --font: a TrueType file, or the name of an installed family",
    "mathtext": "formulas between dollar signs in labels, like $\\alpha_1$",
    "font-size": "in points",
    "captions": None,
    "captions-of": None,
    "labels": "names of rows and panels",
    "row-label": "of the first row, the second ...; may be repeated",
    "column-label": "likewise, of columns",
    "bar": "the colour bar",
    "scale": "what a map's lowest and highest value are taken over",
    "columns": "panels in a row before it is broken",
    "transpose": "rows become columns",
    "frames-shown": "frames of a clip that are shown",
    "crop": None,
    "regions": "which maps get white rectangles",
    "one-map": "what stands where there is room for one of several maps",
    "input-panel": "the input without heat",
    "legend": "names of the ground-truth parts",
    "greyscale": "readable without colour",
    "log-scale": "of matrices",
}
"""Option -> help; what it takes is read from the field of Layout."""
_FIELDS = {
    "width": "width_mm",
    "gap": "gap_mm",
    "font-size": "font_pt",
    "row-label": "row_labels",
    "column-label": "column_labels",
    "frames-shown": "most_frames",
}
"""Option -> field of Layout, where they are not called alike."""


def add_figure(command: argparse.ArgumentParser) -> None:
    """Add the options of ``figure``."""
    add = command.add_argument
    add("preset", choices=recipe.PRESETS)
    add("inputs", nargs="+", metavar="INPUT", type=options.from_here,
        help="pictures, clips, folders, example:bird")  # fmt: skip
    add("--model", action="append", required=True, type=options.from_here,
        help="name or checkpoint; may be repeated")  # fmt: skip
    models_command.add_answers(command)
    add("--at", action="append", default=[], metavar="X,Y",
        help="reference in pixels; once for all inputs, or once for each")  # fmt: skip
    add("--object", type=int, action="append", metavar="N",
        help="of a detector, in place of a pixel: object N, from 0; likewise")  # fmt: skip
    add("--mean", action="store_true", help="with objects: means over all their patches")
    add("--frame", type=int, action="append", help="frame of the reference, likewise")
    add("--name", action="append", help="what stands at the row of an input, likewise")
    add("--box", action="append", metavar="L,T,R,B",
        help="what is shown of an input, in its pixels, likewise")  # fmt: skip
    add("--second", action="append", metavar="PICTURE", type=options.from_here,
        help="a second picture, in which matches of the patch are shown, likewise")  # fmt: skip
    options.add_levels(command)
    options.add_sampling(command)
    for name, how in _VIEW.items():
        add(f"--{name}", **{**how, "action": "append", "help": how["help"] + _EACH})
    add_maps_option(command, action="append")
    add("--truth", type=Path, help="ground-truth points: a CSV, a JSON, or the folder of CUB")
    options.add_look(command)
    _add_layout(command)
    _add_out(command)


def add_render(command: argparse.ArgumentParser) -> None:
    """Add the options of ``render``."""
    command.add_argument("recipe", type=Path, help="a recipe.json, or a figure with one inside")
    _add_out(command)
    models_command.add_answers(command)
    given = (("--media",), "a picture or clip"), (("--network", "--model"), "a network")
    for names, what in given:
        command.add_argument(
            *names, action="append", default=[], metavar="PATH|OLD=NEW",
            help=f"where {what} of the recipe is now: the file, or a folder that has it, told by "
            "its hash; or its path or bare name there and the new one; may be repeated",
        )  # fmt: skip


def figure(args: argparse.Namespace) -> list[str]:
    """Write a figure of one preset to every --out; return what to print."""
    outs = _outs(args.out)
    at = [options.pixel(text, "--at") for text in args.at]
    if not at and args.object is None and composition.needs_reference(args.preset):
        raise InputError(
            f"--at is missing; {args.preset} shows what a patch attends to. Give --at X,Y in "
            "pixels of the picture."
        )
    look = options.look(args)
    loading = models_command.Loading(args)
    sources = FileSources(load=loading, said=options.unsaid)
    made = figures.compose(
        args.preset,
        args.inputs,
        args.model,
        at,
        sources=sources,
        **_asked(args, sources),
        **look,
        **_layout(args),
    )
    assumed = loading.account()
    return [*_written(made, outs), *assumed]


def render(args: argparse.Namespace) -> list[str]:
    """Draw the figure of a recipe again, to every --out; return what to print."""
    outs = _outs(args.out)
    found = figures.load(args.recipe).recipe
    views = [view for reference in found.references for view in reference.views]
    media, there = _pairs("--media", args.media, [one.path for one in _media(found)])
    ids = [view.network.id for view in views]
    networks, others = _pairs("--network", args.network, ids)
    loading = models_command.Loading(args)
    sources = FileSources(
        args.recipe.parent, media, networks, loading, options.unsaid, places=(*there, *others)
    )
    lines = _written(Figure(found, sources), outs)
    return [*_differing(found), *lines, *loading.account()]


def _media(found: Recipe) -> tuple[Medium, ...]:
    """Return every medium of a recipe, each once."""
    every = (one for r in found.references for one in (r.medium, r.second) if one is not None)
    return tuple(dict.fromkeys(every))


def _add_out(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--out", action="append", type=Path, required=True, metavar="FILE",
        help="written there, as its ending says; .json is the recipe; may be repeated",
    )  # fmt: skip


def _add_layout(command: argparse.ArgumentParser) -> None:
    for option, text in _LAYOUT.items():
        kind = get_type_hints(Layout)[_FIELDS.get(option, option.replace("-", "_"))]
        how = {"choices": get_args(kind)} if get_origin(kind) is Literal else {"type": kind}
        if kind is bool:
            how = {"choices": ("on", "off")}
        elif option == "width":
            how = {}
        elif get_origin(kind) is tuple:
            how = {"action": "append"}
        command.add_argument(f"--{option}", help=text, **how)


def _layout(args: argparse.Namespace) -> dict[str, object]:
    """Return the fields of Layout that were given."""
    found = {}
    for option in _LAYOUT:
        name = option.replace("-", "_")
        value = getattr(args, name)
        if value is not None:
            found[_FIELDS.get(option, name)] = value == "on" if value in ("on", "off") else value
    if "width_mm" in found:
        found["width_mm"] = composition.width_of(found["width_mm"])
    return found


def _asked(args: argparse.Namespace, sources: FileSources) -> dict[str, object]:
    """Return the fields of composition.Asked that were given; loads the first network."""
    answers = models_command.answers(args)
    found = {name: getattr(args, name) for name in ("frame", "name", "second", "object", *OF_VIEWS)}
    found["box"] = args.box and [options.numbers(text, "--box", 4) for text in args.box]
    found["levels"] = options.levels(args)
    if not any(sources.footage(path, found["levels"]).is_clip for path in args.inputs):
        options.refuse_sampling(args, args.inputs[0])
    sampling = options.sampling(args, sources.network(args.model[0], answers).spec)
    asked = {name: tuple(values) for name, values in found.items() if values is not None}
    return {
        **asked,
        "sampling": sampling,
        "truth": args.truth,
        "answers": answers,
        "mean": args.mean,
    }


def _outs(paths: list[Path]) -> list[Path]:
    """Return the files to write; InputError before any work where one is of no known kind."""
    for path in paths:
        if export.kind_of(path) not in ("json", *figures.KINDS):
            raise InputError(
                f"--out {path} has no known ending; give .json (the recipe) or a kind of figure: "
                f"{', '.join(figures.KINDS)}."
            )
    return list(dict.fromkeys(paths))


def _written(made: Figure, outs: Iterable[Path]) -> list[str]:
    """Draw everything, and only then write it."""
    contents = {out: _content(made, out) for out in outs}
    plan, lines = made.plan(), []
    for out, content in contents.items():
        export.save(content, out)
        lines.append(f"wrote {out} ({len(content) / 1000:.0f} kB)")
    size = f"{plan.width:.1f} x {plan.height:.1f} mm, {counted(len(plan.places), 'panel')}"
    noted = [note for note in (too_tall(plan.height),) if note]
    return [f"{made.recipe.preset}: {size}", *noted, *_noted(made), *lines]


def _noted(made: Figure) -> list[str]:
    """Return what was assumed about the pictures and clips of a figure."""
    clips = [made.sources.clip(medium) for medium in _media(made.recipe)]
    return [line for clip in clips for line in options.noted(clip)]


def _content(made: Figure, out: Path) -> bytes:
    kind = export.kind_of(out)
    if kind == "json":
        return recipe_json.dumps(made.recipe).encode()
    return made.content(kind, show_frames(out.name))


def _pairs(
    option: str, texts: Iterable[str], known: Iterable[str]
) -> tuple[dict[str, str], list[str]]:
    """Return {old: new}, and the paths that were given alone. Names may hold an = themselves, so
    that the recipe says what is old."""
    known = list(dict.fromkeys(known))
    found, alone = {}, []
    for text in texts:
        places = [k for k, sign in enumerate(text) if sign == "="]
        cuts = [(text[:k], text[k + 1 :]) for k in places if text[k + 1 :]]
        # Recipes have the bare names of files that lay elsewhere.
        cuts += [(file_names.public(old), new) for old, new in cuts if old]
        fitting = [
            (old, new)
            for old, new in cuts
            if any(source_files.mapped(path, {old: new}) for path in known)
        ]
        if fitting and fitting[0][0] not in found:
            found.update([fitting[0]])
        elif fitting:  # another of the same name, which its hash tells
            alone.append(fitting[0][1])
        elif source_files.is_there(text):
            alone.append(text)
        else:
            raise InputError(
                f"{option} {text[:80]!r} is no file or folder; give the path of one, or OLD=NEW, "
                f"OLD as in the recipe: {', '.join(known[:8])}{', ...' if known[8:] else ''}."
            )
    return found, alone


def _differing(found: Recipe) -> list[str]:
    here = recipe.here(found.references)
    others = [
        f"{name} {version} (here {here.get(name, 'none')})"
        for name, version in found.versions.items()
        if version != here.get(name)
    ]
    if not others:
        return []
    return [f"made with {', '.join(others)}: maps agree to 1e-5, bytes may differ"]
