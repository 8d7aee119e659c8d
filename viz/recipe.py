"""The recipe of a figure: everything that is needed to draw it again, as one small JSON file."""

import json
import math
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, TypeAdapter, ValidationError

from errors import InputError
from viz import pipeline, strict_json
from viz.geometry import Mode
from viz.overlay import COLORMAPS
from viz.types import Look

FORMAT = "nonlocal-viz-figure"
VERSION = 1
LARGEST_BYTES = 4 * 2**20
"""A recipe file is a few KB; ground truth of many photos makes it larger."""
LARGEST_FIGURE = 64 * 2**20
"""Bytes of a figure file that may hold a recipe."""
MOST_REFERENCES, MOST_VIEWS, MOST_PARTS, LONGEST_LABEL = 64, 8, 64, 200
MOST_FRAMES, MOST_CHANNELS = 256, 64

PresetName = Literal["parts", "frames", "heatmaps", "arrows", "groups", "gates", "matrix"]
PRESETS: tuple[str, ...] = get_args(PresetName)
Captions = Literal["none", "(a)", "a", "(A)", "A", "(1)"]
Font = Literal["sans", "serif", "times"]

VENUES: dict[str, float] = {
    "NeurIPS text, 5.5 in": 139.7,
    "CVPR column, 3.25 in": 82.55,
    "CVPR text, 6.875 in": 174.625,
    "Nature column, 89 mm": 89.0,
    "Nature page, 183 mm": 183.0,
}
"""Widths of figures in mm, as the venues' instructions give them."""

_PACKAGES = (
    "torch", "torchvision", "numpy", "pillow", "matplotlib", "opencv-python-headless", "av",
)  # fmt: skip
_STRICT = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
Label = Annotated[str, Field(max_length=LONGEST_LABEL)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")]
Whole = Annotated[int, Field(ge=0, lt=2**31)]
Pixel = Annotated[float, Field(ge=-1e6, le=1e6)]


@dataclass(frozen=True)
class Medium:
    """A picture, or the ``frames`` (numbers in the footage, from 0) that were taken of a clip.

    ``path`` is where it was: a file, a folder of frames, or ``example:bird``, ``example:kick``.
    """

    __pydantic_config__ = _STRICT
    path: Annotated[str, Field(min_length=1, max_length=4096)]
    sha256: Sha256
    frames: Annotated[tuple[Whole, ...], Field(max_length=MOST_FRAMES)] = ()

    @property
    def is_clip(self) -> bool:
        """Whether frames of footage were taken."""
        return bool(self.frames)


@dataclass(frozen=True)
class Network:
    """A network: its catalogue id or the path of a checkpoint, and the sha256 of its weights.

    ``answers`` are (question, answer) pairs of what the checkpoint leaves open.
    """

    __pydantic_config__ = _STRICT
    id: Annotated[str, Field(min_length=1, max_length=4096)]
    sha256: Sha256
    answers: Annotated[tuple[tuple[Label, Label], ...], Field(max_length=16)] = ()


@dataclass(frozen=True)
class View:
    """What one network shows of a reference.

    ``block`` is the block's label (res4.4), or the gate layer's name; None: the last. ``mode`` and
    ``size`` (pixels; None: the network's own) are the preprocessing. Of a CGNL block ``channels``
    are "groups", numbers like "0,3,17", or the ``count`` best of "auto" or another ranking by its
    name; ``shown`` is the map of those that stands where there is room for one:
    "channel 1" (counted by rank), "group 0", or "union", the largest of the scaled maps at every
    cell. ``label`` replaces the network's name.
    """

    __pydantic_config__ = _STRICT
    network: Network
    block: Annotated[str, Field(max_length=200)] | None = None
    mode: Mode = "fit"
    size: Annotated[int, Field(ge=16, le=1024)] | None = None
    channels: Annotated[str, Field(min_length=1, max_length=400)] = "auto"
    count: Annotated[int, Field(ge=1, le=MOST_CHANNELS)] = 5
    shown: Annotated[str, Field(pattern="^(union|channel [1-9][0-9]{0,4}|group [0-9]{1,5})$")] = (
        "channel 1"
    )
    label: Label = ""


@dataclass(frozen=True)
class Part:
    """A ground-truth point, in pixels of the original picture."""

    __pydantic_config__ = _STRICT
    name: Label
    x: Pixel
    y: Pixel


@dataclass(frozen=True)
class Reference:
    """A pinned patch: the one under original pixel ``at`` (x, y) of frame ``frame`` of the medium.

    ``at`` is None where there is none (gates have no reference). ``crop`` (left, top, right,
    bottom) in pixels replaces the layout's.
    """

    __pydantic_config__ = _STRICT
    medium: Medium
    views: Annotated[tuple[View, ...], Field(min_length=1, max_length=MOST_VIEWS)]
    at: tuple[Pixel, Pixel] | None = None
    frame: Whole = 0
    label: Label = ""
    parts: Annotated[tuple[Part, ...], Field(max_length=MOST_PARTS)] = ()
    crop: tuple[Pixel, Pixel, Pixel, Pixel] | None = None


@dataclass(frozen=True)
class Layout:
    """How the panels stand on the page. Lengths in mm, letters in points (1/72 in).

    ``columns``: panels in a row before it is broken, 0 for no break. ``most_frames`` of a clip are
    shown, evenly spaced, the reference's among them. ``scale``: what a map's lowest and highest
    value are taken over, each map, the maps of its row, or of the figure. ``regions``: which maps
    get white rectangles, of NL blocks, all or none. ``cgnl``: the one map of a CGNL block, where
    there is room for one: as its view says, the union of its channels, or each in a row of its
    own. ``row_labels`` and ``column_labels`` replace the preset's own; an empty one leaves it, a
    blank takes it away.
    """

    __pydantic_config__ = _STRICT
    width_mm: Annotated[float, Field(ge=20, le=1000)] = 139.7
    dpi: Annotated[int, Field(ge=50, le=1200)] = 300
    gap_mm: Annotated[float, Field(ge=0, le=50)] = 0.8
    font: Font = "sans"
    font_pt: Annotated[float, Field(ge=3, le=36)] = 8.0
    captions: Captions = "none"
    captions_of: Literal["panels", "rows", "columns"] = "panels"
    labels: bool = True
    row_labels: Annotated[tuple[Label, ...], Field(max_length=400)] = ()
    column_labels: Annotated[tuple[Label, ...], Field(max_length=400)] = ()
    bar: Literal["none", "shared", "row"] = "shared"
    scale: Literal["map", "row", "figure"] = "map"
    columns: Annotated[int, Field(ge=0, le=100)] = 0
    transpose: bool = False
    most_frames: Annotated[int, Field(ge=1, le=64)] = 8
    crop: Literal["whole", "seen", "square"] = "whole"
    regions: Literal["none", "NL", "all"] = "none"
    cgnl: Literal["as pinned", "union", "each"] = "as pinned"
    input_panel: bool = True
    legend: bool = True
    greyscale: bool = False
    log_scale: bool = False


@dataclass(frozen=True)
class Recipe:
    """A figure: preset, pinned references in their order, look, layout, and what made it."""

    __pydantic_config__ = _STRICT
    preset: PresetName
    references: Annotated[tuple[Reference, ...], Field(min_length=1, max_length=MOST_REFERENCES)]
    look: Look = field(default_factory=Look)
    layout: Layout = field(default_factory=Layout)
    versions: Annotated[dict[str, Label], Field(max_length=32)] = field(default_factory=dict)


def of_view(reference: Reference, look: Look) -> Recipe:
    """Return the recipe of what is seen of one reference: the heat of every view side by side."""
    return Recipe("heatmaps", (reference,), look, Layout(input_panel=False), here())


def here() -> dict[str, str]:
    """Return the versions of the packages that a figure's bytes depend on."""
    return {name: _version(name) for name in _PACKAGES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # another build of it, like opencv-python
        return "not known"


def dumps(recipe: Recipe) -> str:
    """Return the recipe as JSON text, plain ASCII; loads gives an equal recipe back."""
    content = {"format": f"{FORMAT}/{VERSION}", **_adapter().dump_python(recipe, mode="json")}
    return json.dumps(content, indent=1) + "\n"


def loads(text: str | bytes, name: str = "The recipe") -> Recipe:
    """Read a recipe; InputError in one line that names the first entry that is wrong.

    Nothing that the recipe names is opened.
    """
    if len(text) > LARGEST_BYTES:
        raise InputError(
            f"{name} has {len(text)} bytes; recipes have at most {LARGEST_BYTES}. Give a "
            "recipe.json that this program wrote."
        )
    content = _object(text, name)
    _check_format(content.pop("format", None), name)
    return _checked(content, name)


def checked(recipe: Recipe) -> Recipe:
    """Return the recipe, or raise InputError when a value is outside what a file may hold."""
    # Not by way of text: it has no word for NaN.
    return _checked(_adapter().dump_python(recipe, warnings=False), "The figure")


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe file; docs/recipe.schema.json is this."""
    found = _adapter().json_schema()
    found["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    found["properties"] = {"format": {"const": f"{FORMAT}/{VERSION}"}, **found["properties"]}
    found["required"] = ["format", *found["required"]]
    return found


@cache
def _adapter() -> TypeAdapter[Recipe]:
    return TypeAdapter(Recipe)


def _object(text: str | bytes, name: str) -> dict[str, Any]:
    content = strict_json.parsed(text, name, "a recipe.json that this program wrote")
    if not isinstance(content, dict):
        raise InputError(
            f"{name} holds a {type(content).__name__}; a recipe is one JSON object with the key "
            f'"format": "{FORMAT}/{VERSION}".'
        )
    return content


def _check_format(found: object, name: str) -> None:
    kind, _, number = str(found).partition("/")
    if kind == FORMAT and number.isdecimal() and int(number[:6]) > VERSION:
        raise InputError(
            f"{name} is of version {number[:6]}; this program reads versions up to {VERSION}. "
            "Update it, or save the recipe with the older program."
        )
    if found != f"{FORMAT}/{VERSION}":
        told = "names no format" if found is None else f"is of format {str(found)[:60]!r}"
        raise InputError(f"{name} {told}; a figure's recipe is {FORMAT}/{VERSION}.")


def _checked(content: dict[str, Any], name: str) -> Recipe:
    try:
        # By way of JSON's types: lists for tuples, but nothing converted.
        recipe = _adapter().validate_json(json.dumps(content, default=str))
    except ValidationError as problem:
        raise InputError(f"{name}: {_told(problem)}") from problem
    _check_look(recipe.look, name)
    for index, reference in enumerate(recipe.references):
        _check_reference(reference, f"{name}: references[{index}]")
    return recipe


def _told(problem: ValidationError) -> str:
    first = problem.errors(include_url=False, include_context=False)[0]
    place = ""
    for step in first["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    if first["type"] == "unexpected_keyword_argument":
        return f"{place[:120]} is not known to this version; remove it."
    if first["type"] in ("missing", "missing_argument"):
        return f"{place[:120]} is missing; give it."
    if not place:
        return f"{first['msg']}."
    came = repr(first["input"])
    more = "..." if len(came) > 60 else ""
    return f"{place[:120]}: {came[:60]}{more} came; {first['msg'].lower().rstrip('.')}."


def _check_look(look: Look, name: str) -> None:
    for key in ("threshold", "heat_opacity"):
        value = getattr(look, key)
        if not 0 <= value <= 1:
            raise InputError(f"{name}: look.{key} is {value:g}; give a number from 0 to 1.")
    if look.colormap not in COLORMAPS:
        raise InputError(
            f"{name}: look.colormap is {look.colormap[:40]!r}; use one of {', '.join(COLORMAPS)}."
        )
    if not 0 <= look.arrows <= 200:
        raise InputError(f"{name}: look.arrows is {look.arrows}; give 0 to 200.")
    low, high = look.fixed_range
    if not low < high:
        raise InputError(
            f"{name}: look.fixed_range is {low:g} to {high:g}; the first must be below the second."
        )


def _check_channels(text: str, place: str) -> None:
    try:
        ranking = pipeline.channels_from(text).ranking
    except InputError as problem:
        raise InputError(f"{place}: {problem}") from problem
    if ranking == "class evidence":
        raise InputError(
            f"{place} is class evidence, which depends on a class; give the channels that it found "
            "as numbers like 0,3,17."
        )


def _check_reference(reference: Reference, place: str) -> None:
    frames = len(reference.medium.frames)
    if reference.frame >= max(1, frames):
        raise InputError(
            f"{place}.frame is {reference.frame}; the medium has {max(1, frames)} frames, counted "
            "from 0."
        )
    for index, view in enumerate(reference.views):
        _check_channels(view.channels, f"{place}.views[{index}].channels")
    if list(reference.medium.frames) != sorted(set(reference.medium.frames)):
        raise InputError(f"{place}.medium.frames must ascend, each number once.")
    if reference.crop is not None:
        left, top, right, bottom = reference.crop
        if not (right - left >= 1 and bottom - top >= 1 and math.isfinite(right + bottom)):
            raise InputError(
                f"{place}.crop is {left:g},{top:g},{right:g},{bottom:g}; give left, top, right, "
                "bottom in pixels, at least one apart."
            )
