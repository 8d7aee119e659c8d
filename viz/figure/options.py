"""What is asked of a figure from Python and the command line, as named options."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, TypeVar

from viz.attention.choice import DEFAULT_COUNT, MapChoice
from viz.figure.keypoints import Truth
from viz.figure.recipe.recipe import Captions, Font
from viz.figure.sources import FileSources
from viz.geometry import Mode
from viz.rendering.colormaps import Colormap
from viz.rendering.look import Cut, Display, Interpolation, Normalise
from viz.types import Sampling

T = TypeVar("T")
Each = T | tuple[T, ...] | list[T]
"""One value for all, or one for each."""
Sides = tuple[float, float, float, float]


@dataclass(frozen=True)
class Asked:
    """What is asked of the inputs: ``frame`` of all or of each, and which frames of clips are taken
    (None: as the first network was made for); ``truth``, a file or CUB folder of parts; ``answers``
    to what checkpoints leave open; ``name``, what stands at the row of all or of each, and ``box``,
    what is shown of its picture: (left, top, right, bottom) in pixels; ``levels``, the values that
    are black and white in pictures of more than 8 bits; ``second``, the second picture of all
    inputs or of each. ``object``, by its number among what the first detector finds, is the
    reference in place of a pixel, of all or of each; ``mean`` takes the means over its patches.

    ``block`` to ``label`` are fields of recipe.View, for all networks or for each.
    """

    frame: Each[int] = 0
    sampling: Sampling | None = None
    truth: Truth | str | Path | None = None
    answers: Mapping[str, str] | tuple[tuple[str, str], ...] = ()
    name: Each[str] = ""
    box: Each[Sides | None] = None
    levels: tuple[float, float] | None = None
    second: Each[str | Path | None] = None
    object: Each[int | None] = None
    mean: bool = False
    block: Each[str | None] = None
    kind: Each[str | None] = None
    mode: Each[Mode] = "fit"
    size: Each[int | None] = None
    maps: Each[str] = "auto"
    count: Each[int] = DEFAULT_COUNT
    shown: Each[str | MapChoice | None] = None
    label: Each[str] = ""


OF_VIEWS = ("block", "kind", "mode", "size", "maps", "count", "shown", "label")
"""Fields of ``Asked`` that a view has."""


class Options(TypedDict, total=False):
    """Every option of ``viz.figure.parts`` and the others: fields of ``Asked``, of
    viz.rendering.look.Look and of viz.figure.recipe.recipe.Layout; ``width`` ("cvpr-column",
    "3.25in", 89) stands for ``width_mm``; ``sources`` say where media and networks are."""

    sources: FileSources
    frame: Each[int]
    sampling: Sampling
    truth: Truth | str | Path
    answers: Mapping[str, str]
    name: Each[str]
    box: Each[Sides]
    levels: tuple[float, float]
    second: Each[str | Path]
    object: Each[int]
    mean: bool
    block: Each[str]
    kind: Each[str]
    mode: Each[Mode]
    size: Each[int]
    maps: Each[str]
    count: Each[int]
    shown: Each[str]
    label: Each[str]
    normalise: Normalise
    threshold: float
    colormap: Colormap
    heat_opacity: float
    interpolation: Interpolation
    fixed_range: tuple[float, float]
    arrows: int
    display: Display
    cut: Cut
    share: float
    width: str | float
    width_mm: float
    dpi: int
    gap_mm: float
    font: Font
    own_font: str
    mathtext: bool
    font_pt: float
    captions: Captions
    captions_of: str
    labels: bool
    row_labels: tuple[str, ...]
    column_labels: tuple[str, ...]
    bar: str
    scale: str
    columns: int
    transpose: bool
    most_frames: int
    crop: str
    regions: str
    one_map: str
    input_panel: bool
    legend: bool
    greyscale: bool
    log_scale: bool
