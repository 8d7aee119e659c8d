"""The recipe of a figure: everything that is needed to draw it again, as one small JSON file."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Literal, get_args

from annotated_types import Interval
from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from errors import InputError
from viz.attention.choice import DEFAULT_COUNT, PATTERN, MapChoice
from viz.geometry import SIZES, Mode
from viz.rendering.look import Look

MOST_REFERENCES, MOST_VIEWS, MOST_PARTS, LONGEST_LABEL = 64, 8, 64, 200
MOST_FRAMES, MOST_CHANNELS, MOST_OBJECTS, MOST_CLASSES = 256, 64, 1000, 30_000

PresetName = Literal[
    "view", "parts", "frames", "heatmaps", "arrows", "groups", "matches", "gates", "matrix",
    "objects",
    "strongest",
]  # fmt: skip
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
_LIBRARIES = {"timm": "timm", "hf": "transformers"}
"""How the ids of a library's networks begin -> its package."""
_STRICT = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
Label = Annotated[str, Field(max_length=LONGEST_LABEL)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")]
Whole = Annotated[int, Field(ge=0, lt=2**31)]
Level = Annotated[float, Field(ge=-1e38, le=1e38)]
Pixel = Annotated[float, Field(ge=-1e6, le=1e6)]


def _choice(value: object) -> MapChoice:
    try:
        return value if isinstance(value, MapChoice) else MapChoice.parse(str(value))
    except InputError as problem:
        raise ValueError(str(problem)) from problem


Choice = Annotated[
    MapChoice,
    PlainValidator(_choice),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]
"""A MapChoice, which is text in JSON: "channel 1", "c17", "group 0", "union"."""


@dataclass(frozen=True)
class Medium:
    """A picture, or the ``frames`` (numbers in the footage, from 0) that were taken of a clip.

    ``path`` is where it was: a file, a folder of frames or a series in it (``folder/img_``), or
    ``example:bird``, ``example:kick``; written recipes have no path that begins at the root or
    leads upward, but its last part. ``levels`` are the values that were asked to be black and
    white in pictures of more than 8 bits.
    """

    __pydantic_config__ = _STRICT
    path: Annotated[str, Field(min_length=1, max_length=4096)]
    sha256: Sha256
    frames: Annotated[tuple[Whole, ...], Field(max_length=MOST_FRAMES)] = ()
    levels: tuple[Level, Level] | None = None

    @property
    def is_clip(self) -> bool:
        """Whether frames of footage were taken."""
        return bool(self.frames)


@dataclass(frozen=True)
class Network:
    """A network: its catalogue id or the path of a checkpoint, and the sha256 of its weights.

    ``answers`` are (question, answer) pairs of what the checkpoint leaves open; ``classes`` the
    names of all its classes, where they are a list of the user's.
    """

    __pydantic_config__ = _STRICT
    id: Annotated[str, Field(min_length=1, max_length=4096)]
    sha256: Sha256
    answers: Annotated[tuple[tuple[Label, Label], ...], Field(max_length=16)] = ()
    classes: Annotated[tuple[Label, ...], Field(max_length=MOST_CLASSES)] = ()


@dataclass(frozen=True)
class View:
    """What one network shows of a reference.

    ``block`` is the block's label (res4.4), or the gate layer's name; None: the last. ``kind`` is
    the map kind (features, class maps); None: the block's own. ``mode`` and ``size`` (pixels;
    None: the network's own) are the preprocessing. Where a reference has several maps, ``maps``
    are "groups", numbers like "0,3,17" (of objects, in the preset objects), or the ``count`` best
    of "auto" or a ranking by its name; ``shown`` is the one that stands where there is room for one
    (None: the first), "union" the largest of the scaled maps at every cell. ``label`` replaces the
    kind's title.
    """

    __pydantic_config__ = _STRICT
    network: Network
    block: Annotated[str, Field(max_length=200)] | None = None
    kind: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    mode: Mode = "fit"
    size: Annotated[int, Interval(ge=SIZES[0], le=SIZES[1])] | None = None
    maps: Annotated[str, Field(min_length=1, max_length=400)] = "auto"
    count: Annotated[int, Interval(ge=1, le=MOST_CHANNELS)] = DEFAULT_COUNT
    shown: Choice | None = None
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

    ``at`` is None where there is none (gates have no reference). ``object`` is the object, best
    score first from 0, that the first detector of the views found there; with ``mean`` the maps are
    the means over all its patches. ``crop`` (left, top, right,
    bottom) in pixels replaces the layout's. ``look`` is how it was shown when it was pinned, None
    where nobody looked; a figure is drawn in the look of its recipe. ``second`` is a picture in
    which matches of the patch are shown beside the medium, which is then a picture, too.
    """

    __pydantic_config__ = _STRICT
    medium: Medium
    views: Annotated[tuple[View, ...], Field(min_length=1, max_length=MOST_VIEWS)]
    at: tuple[Pixel, Pixel] | None = None
    frame: Whole = 0
    label: Label = ""
    parts: Annotated[tuple[Part, ...], Field(max_length=MOST_PARTS)] = ()
    crop: tuple[Pixel, Pixel, Pixel, Pixel] | None = None
    look: Look | None = None
    second: Medium | None = None
    object: Annotated[int, Interval(ge=0, lt=MOST_OBJECTS)] | None = None
    mean: bool = False


@dataclass(frozen=True)
class Layout:
    """How the panels stand on the page. Lengths in mm, letters in points (1/72 in).

    ``columns``: panels in a row before it is broken, 0 for no break. ``most_frames`` of a clip are
    shown, evenly spaced, the reference's among them. ``scale``: what a map's lowest and highest
    value are taken over, each map, the maps of its row, or of the figure. ``crop``: the whole
    picture, what the network sees, or the largest square, with the reference as near to its middle
    as the picture allows. ``regions``: which maps get white rectangles: none, all, or "NL", those
    of blocks with one map a reference. ``one_map``: what stands where there is room for one of
    several maps: what the view says, their union, or each in a row of its own. ``bar``: colour
    bars: none, one for the figure, one a row, or one a map. ``row_labels`` and ``column_labels``
    replace the preset's own; an empty one leaves it, a blank takes it away. ``own_font`` replaces
    ``font``: the path of a TrueType file, or the name of a family that is installed. ``mathtext``:
    what stands between dollar signs in labels is a formula.
    """

    __pydantic_config__ = _STRICT
    width_mm: Annotated[float, Interval(ge=20, le=1000)] = 139.7
    dpi: Annotated[int, Interval(ge=50, le=1200)] = 300
    gap_mm: Annotated[float, Interval(ge=0, le=50)] = 0.8
    font: Font = "sans"
    own_font: Annotated[str, Field(max_length=4096)] = ""
    mathtext: bool = False
    font_pt: Annotated[float, Interval(ge=3, le=36)] = 8.0
    captions: Captions = "none"
    captions_of: Literal["panels", "rows", "columns"] = "panels"
    labels: bool = True
    row_labels: Annotated[tuple[Label, ...], Field(max_length=400)] = ()
    column_labels: Annotated[tuple[Label, ...], Field(max_length=400)] = ()
    bar: Literal["none", "shared", "row", "map"] = "shared"
    scale: Literal["map", "row", "figure"] = "map"
    columns: Annotated[int, Interval(ge=0, le=100)] = 0
    transpose: bool = False
    most_frames: Annotated[int, Interval(ge=1, le=64)] = 8
    crop: Literal["whole", "seen", "square"] = "whole"
    regions: Literal["none", "NL", "all"] = "none"
    one_map: Literal["as pinned", "union", "each"] = "as pinned"
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


def here(references: Iterable[Reference] = ()) -> dict[str, str]:
    """Return the versions of the packages that a figure's bytes depend on, and those of the
    libraries that the networks of references are from."""
    libraries = (view.network.id.partition(":")[0] for one in references for view in one.views)
    others = sorted({_LIBRARIES[name] for name in libraries if name in _LIBRARIES})
    return {name: _version(name) for name in (*_PACKAGES, *others)}


@cache
def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # another build of it, like opencv-python
        return "not known"
