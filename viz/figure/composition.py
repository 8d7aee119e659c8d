"""From what is asked for to a recipe: what the command line and notebooks share."""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from errors import InputError, OutsideError, counted
from models.loaded import LoadedModel
from models.report import unused
from viz.attention import pipeline, predictions, queries
from viz.attention.captures import Capture
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import KINDS, selection
from viz.figure import keypoints
from viz.figure.keypoints import Truth
from viz.figure.options import OF_VIEWS, Asked, Each, Sides
from viz.figure.page.typesetting import MM_PER_INCH
from viz.figure.panels.presets import TABLE
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Layout, Medium, Network, Recipe, Reference, View
from viz.figure.resolve import Sources
from viz.figure.sources import FileSources
from viz.rendering.look import Look
from viz.types import Sampling

T = TypeVar("T")
Pixel = tuple[float, float]

VENUES: dict[str, float] = {
    "neurips": recipe.VENUES["NeurIPS text, 5.5 in"],
    "cvpr-column": recipe.VENUES["CVPR column, 3.25 in"],
    "cvpr-text": recipe.VENUES["CVPR text, 6.875 in"],
    "nature-column": recipe.VENUES["Nature column, 89 mm"],
    "nature-page": recipe.VENUES["Nature page, 183 mm"],
}
"""Short names of the venues' widths in mm."""
_LENGTH = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*(mm|cm|in)?\s*", re.ASCII)
_UNITS = {None: 1.0, "mm": 1.0, "cm": 10.0, "in": MM_PER_INCH}


_NOTHING = Asked()


def references(
    sources: FileSources,
    inputs: Sequence[str | Path],
    models: Sequence[str],
    at: Pixel | Sequence[Pixel] = (),
    asked: Asked = _NOTHING,
) -> tuple[Reference, ...]:
    """Return a reference for each input, as every network of ``models`` sees it.

    ``inputs`` are paths of pictures, clips and folders of frames, or the names in
    ``sources.EXAMPLES``; ``at`` is one pixel (x, y) for all or one for each, or none where the
    preset needs no reference. Nothing is decoded, and no network is run.
    """
    if not inputs:
        raise InputError("No input is given; give a picture, a clip, or example:bird.")
    if not models:
        raise InputError("No network is given; give the name of one, or the path of a checkpoint.")
    pixels = _each(_pixels(at), len(inputs), "references", "input")
    frames = _each(asked.frame, len(inputs), "frames", "input")
    names = _each(asked.name, len(inputs), "names", "input")
    boxes = _each(_boxes(asked.box), len(inputs), "boxes", "input")
    found = _each(asked.object, len(inputs), "objects", "input")
    _check_objects(found)
    loaded = [sources.network(str(name), dict(asked.answers)) for name in models]
    views = _views(models, loaded, asked)
    sampling = asked.sampling or pipeline.sampling_for(loaded[0].spec)
    truth = _truth(asked.truth)
    media = [_medium(sources, str(path), sampling, asked.levels) for path in inputs]
    for medium, frame in zip(media, frames, strict=True):
        _check_frame(frame, medium)
    parts = [truth.of(medium.path) if truth else () for medium in media]
    seconds = [
        None if path is None else _picture(sources, str(path), asked.levels)
        for path in _each(asked.second, len(inputs), "second pictures", "input")
    ]
    return tuple(
        Reference(medium, views, *rest, second=second, object=number, mean=asked.mean)
        for medium, second, number, *rest in zip(
            media, seconds, found, pixels, frames, names, parts, boxes, strict=True
        )
    )


def by_answer(references: Iterable[Reference], sources: Sources) -> tuple[Reference, ...]:
    """Return references whose classes by probability stand by number, in the order of the network's
    answer, where their rank would mean another: where that is taken at another size than the maps
    are made at, and beside a second picture, where the classes of the first count for both.

    Only the networks of such views are run.
    """
    return tuple(
        replace(one, views=tuple(_by_answer(one, view, sources) for view in one.views))
        for one in references
    )


def answer(medium: Medium, view: View, sources: Sources) -> Capture | None:
    """Return the capture of a network's answer, where that is not the one of a view's maps."""
    size = predictions.answer_size(sources.capture(medium, view), view.size)
    return None if size is None else sources.capture(medium, replace(view, size=size))


def _by_answer(reference: Reference, view: View, sources: Sources) -> View:
    kind = KINDS.get(view.kind or "")
    if kind is None or not kind.answer_rankings:
        return view
    found = answer(reference.medium, view, sources)
    if found is None and reference.second is None:
        return view
    found = found or sources.capture(reference.medium, view)
    wanted = predictions.by_answer(kind, selection(view.maps, view.count), found)
    return replace(view, maps=str(wanted)) if wanted.listed else view


def options(preset: str, **given: object) -> tuple[Look, Layout]:
    """Return how a preset looks, with fields of Look and Layout replaced by those given.

    ``width`` ("cvpr-column", "3.25in", 89) may stand for ``width_mm``. InputError for a name that
    there is not.
    """
    row = TABLE[_known(preset, TABLE, "a preset")]
    if "width" in given:
        given["width_mm"] = width_of(given.pop("width"))
    of_look, of_layout = ({field.name for field in fields(part)} for part in (Look, Layout))
    _check_names(set(given), of_look | of_layout)
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
    look = replace(row.look, **{k: v for k, v in values.items() if k in of_look})
    return look, replace(row.layout, **{k: v for k, v in values.items() if k in of_layout})


def _check_names(given: set[str], known: set[str]) -> None:
    """Refuse an option that there is not, with those that are spelled like it."""
    for name in sorted(given - known):
        others = [field.name for field in fields(Asked) if field.name != name]
        _known(name, [*sorted(known), "width", *others], "an option")


def composed(preset: str, references: Sequence[Reference], **given: object) -> Recipe:
    """Return the recipe of a figure with ``options``, made with the versions that are here."""
    fitted = TABLE[preset].fits(references) if preset in TABLE else {}
    look, layout = options(preset, **{**fitted, **given})
    made = Recipe(preset, tuple(references), look, layout, recipe.here(references))
    return recipe_json.checked(made)


def view_recipe(references: Sequence[Reference], look: Look) -> Recipe:
    """Return the recipe of what a page shows of references: the preset "view" in a look."""
    made = Recipe("view", tuple(references), look, TABLE["view"].layout, recipe.here(references))
    return recipe_json.checked(made)


def width_of(given: object) -> float:
    """Return a width in mm: a number, a length like 3.25in or 89mm, or the name of a venue."""
    text = str(given).strip()
    found = _LENGTH.fullmatch(text)
    if text not in VENUES and not found:
        raise InputError(
            f"{text[:40]!r} is not a width; give millimetres, a length like 3.25in, or one of "
            f"{', '.join(VENUES)}."
        )
    return VENUES[text] if text in VENUES else float(found[1]) * _UNITS[found[2]]


def needs_reference(preset: str) -> bool:
    """Tell whether a preset shows what a reference patch attends to."""
    return TABLE[preset].needs == "reference"


def check_second(preset: str, second: object) -> None:
    """Refuse a second picture where a preset shows one of two."""
    if second is not None and TABLE[_known(preset, TABLE, "a preset")].first_only:
        both = ", ".join(name for name, row in TABLE.items() if not row.first_only)
        raise InputError(
            f"The preset {preset} shows one picture; leave the second out (second, on the command "
            f"line --second), or take a preset that shows both: {both}."
        )


def _views(models: Sequence[str], loaded: Sequence[LoadedModel], asked: Asked) -> tuple[View, ...]:
    networks = [
        Network(
            str(name),
            model.sha256,
            _needed(dict(asked.answers), model),
            model.class_names if model.names_given else (),
        )
        for name, model in zip(models, loaded, strict=True)
    ]
    columns = {
        name: _each(getattr(asked, name), len(models), f"values of {name}", "network")
        for name in OF_VIEWS
    }
    columns["shown"] = [_choice(one) for one in columns["shown"]]
    views = (
        View(network, **{name: values[k] for name, values in columns.items()})
        for k, network in enumerate(networks)
    )
    return tuple(_resolved(view, model) for view, model in zip(views, loaded, strict=True))


def _needed(answers: Mapping[str, str], model: LoadedModel) -> tuple[tuple[str, str], ...]:
    """Return those answers that a network needed: the others are of the others."""
    left = unused(model.report, answers)
    return tuple((name, value) for name, value in answers.items() if name not in left)


def _resolved(view: View, model: LoadedModel) -> View:
    """Return the view with block and preprocessing by name, as they will take effect."""
    mode, size = pipeline.effective(model.spec, view.mode, view.size)
    labels = queries.block_labels(model.spec)
    return replace(view, mode=mode, size=size, block=view.block or (labels[-1] if labels else None))


def _is_text(path: str) -> bool:
    """Tell whether a path holds letters only: bytes that are none become surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in path)


def _choice(given: str | MapChoice | None) -> MapChoice | None:
    return MapChoice.parse(given) if isinstance(given, str) else given


def _medium(
    sources: FileSources, path: str, sampling: Sampling, levels: tuple[float, float] | None
) -> Medium:
    found = sources.footage(path, levels)
    if not _is_text(path):
        raise InputError(
            f"The name of {found.name} is not UTF-8, and no recipe can hold it; rename the file."
        )
    return Medium(path, found.sha256, found.numbers(sampling) if found.is_clip else (), levels)


def _picture(sources: FileSources, path: str, levels: tuple[float, float] | None) -> Medium:
    """Return a second picture; InputError for a clip."""
    if sources.footage(path, levels).is_clip:
        raise InputError(
            f"{path} is a clip; a second picture goes with one picture. Give a picture, or one "
            "frame of the clip."
        )
    return _medium(sources, path, Sampling(), levels)


def _pixels(at: Pixel | Sequence[Pixel]) -> tuple[Pixel | None, ...]:
    try:
        pairs = np.asarray(at, dtype=float)
        pairs = pairs.reshape(-1, 2) if pairs.ndim < 2 else pairs
        return tuple((float(x), float(y)) for x, y in pairs) or (None,)
    except (TypeError, ValueError) as problem:
        raise InputError(
            f"{str(at)[:60]} is not a reference; give one pixel (x, y) for all inputs, or a list "
            "of one for each."
        ) from problem


def _check_frame(frame: int, medium: Medium) -> None:
    last = max(1, len(medium.frames)) - 1
    if not 0 <= frame <= last:
        there = f"the sampled frames 0 to {last}" if last else "one frame, 0"
        raise OutsideError(f"{frame} is not a frame of {medium.path}; it has {there}.")


def _check_objects(numbers: Iterable[int | None]) -> None:
    for number in numbers:
        if number is not None and not 0 <= number < recipe.MOST_OBJECTS:
            raise OutsideError(
                f"{number} is not an object of this picture; they are counted from 0, best score "
                "first."
            )


def _truth(given: Truth | str | Path | None) -> Truth | None:
    return given if given is None or isinstance(given, Truth) else keypoints.read(Path(given))


def _boxes(given: Each[Sides | None]) -> list[Sides | None]:
    """Return boxes as a list; one of four numbers is one box."""
    try:
        one = given is None or all(np.isscalar(value) for value in given)
        return [
            None if box is None else tuple(map(float, box)) for box in ([given] if one else given)
        ]
    except (TypeError, ValueError) as problem:
        raise InputError(
            f"{str(given)[:60]!r} is not a box; give left, top, right, bottom in pixels, or such a "
            "box for each input."
        ) from problem


def _each(given: Each[T], count: int, what: str, of: str) -> list[T]:
    """Return one value for each of ``count``: one for all, or as many as there are."""
    values = list(given) if isinstance(given, tuple | list) else [given]
    if len(values) not in (1, count):
        raise InputError(
            f"{len(values)} {what} do not fit {counted(count, of)}; give one for all, or one for "
            "each."
        )
    return values if len(values) == count else values * count


def _known(name: str, known: Iterable[str], kind: str) -> str:
    known = list(known)
    if name not in known:
        near = difflib.get_close_matches(str(name), known, 3, 0.5)
        hint = f"perhaps {' or '.join(near)}" if near else f"use one of {', '.join(known)}"
        raise InputError(f"{str(name)[:60]!r} is not {kind}; {hint}.")
    return name
