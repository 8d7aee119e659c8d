"""Figures for papers: from references to files of every kind, and back from their recipe.

    fig = viz.figure.parts(["a.jpg", "b.jpg"], ["e2-nl", "e2-cgnl"], [(120, 80), (60, 90)])
    fig.save("fig5.pdf")
    viz.figure.load("fig5.pdf").save("again.pdf")  # the same bytes

Inputs are paths of pictures, clips and folders of frames, or example:bird and example:kick;
networks are names of ``python -m viz models``, paths of checkpoints, or loaded ones; ``at`` is one
pixel (x, y) for all inputs, or one for each. Every other option is listed in
viz.figure.options.Options: fields of Asked (frame, truth, maps, size ...), of Look (threshold,
colormap ...) and of Layout (width_mm, dpi, captions ...). In a notebook a figure shows itself.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Unpack, get_type_hints

from errors import InputError
from models.loaded import LoadedModel
from viz.figure import composition
from viz.figure.composition import Pixel
from viz.figure.draw import drawing
from viz.figure.draw.moving import Drafts
from viz.figure.files import embedded_recipe, export, movie
from viz.figure.options import Asked, Options
from viz.figure.page import fonts
from viz.figure.page import layout as page_layout
from viz.figure.page.plan import Plan
from viz.figure.panels import needs, presets
from viz.figure.panels.panel_rows import PanelRows
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Recipe
from viz.figure.resolve import Sources
from viz.figure.sources import FileSources
from viz.media.pictures import content_of
from viz.rendering.movie_files import Progress
from viz.rendering.screen_png import screen_png

__all__ = [
    "KINDS", "Figure", "arrows", "compose", "frames", "gates", "groups", "heatmaps", "load",
    "matches", "matrix", "objects", "parts", "strongest", "view",
]  # fmt: skip

KINDS: dict[str, tuple[str, str]] = export.STILL | movie.KINDS
"""File suffix -> (name, media type) of everything a figure is saved as."""
NOTEBOOK_DPI = 150
Inputs = str | Path | Sequence[str | Path]
Names = str | LoadedModel | Sequence[str | LoadedModel]


@dataclass(frozen=True, eq=False)
class Figure:
    """A recipe, and where its media and networks come from. The same recipe, the same bytes."""

    recipe: Recipe
    sources: Sources

    def panel_rows(self) -> PanelRows:
        """Return what the figure holds, before it is laid out."""
        return self._laid_out[0]

    def plan(self) -> Plan:
        """Return where everything stands, in mm."""
        return self._laid_out[1]

    @cached_property
    def _laid_out(self) -> tuple[PanelRows, Plan]:
        """The panel_rows and its plan, made once for all files and the preview."""
        panel_rows = presets.panel_rows(self.recipe, self.sources)
        return panel_rows, page_layout.plan(panel_rows)

    def content(self, kind: str, progress: Progress | None = None) -> bytes:
        """Return the figure as a file of ``kind`` (a key of KINDS), its recipe inside where there
        is a place for one; ``progress`` is called with the frames of a movie."""
        if kind not in KINDS:
            raise InputError(f"{kind[:20]!r} is not a kind of figure; use {_known()}.")
        if kind in movie.KINDS:
            return movie.write(self.recipe, self.sources, kind, progress)
        drawn = drawing.draw(*self._laid_out)
        return export.write(drawn, kind, self.recipe.layout.dpi, recipe_json.dumps(self.recipe))

    def preview(self, dpi: int = NOTEBOOK_DPI, drafts: Drafts | None = None) -> bytes:
        """Return a PNG of the same drawing at another resolution, without the recipe.

        With ``drafts``, panels lie on whole pixels, and what the figure has in common with the one
        before is not drawn again.
        """
        pixels = drafts.draw(self._laid_out, dpi) if drafts else None
        if pixels is not None:
            return screen_png(pixels)
        return export.write(drawing.draw(*self._laid_out, dpi), "png", dpi, None)

    def save(self, path: str | Path, progress: Progress | None = None) -> Path:
        """Write the figure, or with ``.json`` its recipe; whole or not at all.

        The suffix of the path says which: InputError for one that is not known, MachineError
        where it cannot be written.
        """
        path = Path(path)
        kind = export.kind_of(path)
        if kind != "json" and kind not in KINDS:
            raise InputError(
                f"{path.name} has no ending of a figure; figures are saved as {_known()}, "
                "recipes as .json."
            )
        text = recipe_json.dumps(self.recipe).encode() if kind == "json" else None
        export.save(text or self.content(kind, progress), path)
        return path

    def _repr_png_(self) -> bytes:
        return self.preview()


def _known() -> str:
    return ", ".join(f".{kind}" for kind in KINDS)


def load(path: str | Path, sources: Sources | None = None) -> Figure:
    """Return the figure of a recipe, or of a PDF, SVG, EPS, PNG or TIFF that has one inside.

    Media and a font of its own are looked for beside it, unless ``sources`` say otherwise.
    """
    path = Path(path)
    content = content_of(
        path, embedded_recipe.LARGEST_BYTES, "a recipe, or a figure with one inside"
    )
    recipe = embedded_recipe.read(content, path.name)
    recipe = replace(recipe, layout=fonts.beside(recipe.layout, path.parent))
    return Figure(recipe, sources or FileSources(path.parent))


def parts(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel] = (), **options: Unpack[Options]
) -> Figure:
    """CGNL paper, Fig. 5: input | NL with white boxes | CGNL channels | parts (``truth``)."""
    return compose("parts", inputs, models, at, **options)


def frames(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel] = (), **options: Unpack[Options]
) -> Figure:
    """CGNL paper, Fig. 1: what answers in the other frames, from the threshold up."""
    return compose("frames", inputs, models, at, **options)


def heatmaps(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel] = (), **options: Unpack[Options]
) -> Figure:
    """CGNL paper, Fig. 6: the whole heat over every frame."""
    return compose("heatmaps", inputs, models, at, **options)


def view(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel] = (), **options: Unpack[Options]
) -> Figure:
    """What Explore saves: the large map of every network, with its own colour bar."""
    return compose("view", inputs, models, at, **options)


def arrows(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel] = (), **options: Unpack[Options]
) -> Figure:
    """NL paper, behaviour figure: from the reference to its 20 highest weights; of two pictures
    (``second``) to those of each."""
    return compose("arrows", inputs, models, at, **options)


def groups(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel] = (), **options: Unpack[Options]
) -> Figure:
    """Every group of CGNL blocks, or head of self-attention, over the frames."""
    return compose("groups", inputs, models, at, **options)


def matches(inputs: Inputs, models: Names, **options: Unpack[Options]) -> Figure:
    """Two pictures (``second``): lines between patches that are each other's nearest; ``arrows``
    are how many, 20 by default."""
    return compose("matches", inputs, models, **options)


def gates(inputs: Inputs, models: Names, **options: Unpack[Options]) -> Figure:
    """CGD: factors by layer, mean |activation| before and after a gate (``block`` names it)."""
    return compose("gates", inputs, models, **options)


def matrix(inputs: Inputs, models: Names, **options: Unpack[Options]) -> Figure:
    """NL: the N x N affinity, as means of blocks where it is large."""
    return compose("matrix", inputs, models, **options)


def objects(inputs: Inputs, models: Names, **options: Unpack[Options]) -> Figure:
    """Detectors: boxes and masks, and what the middle of each object attends to.

    ``maps`` are the numbers of objects ("0,2"); else the ``count`` best are shown.
    """
    return compose("objects", inputs, models, **options)


def strongest(
    inputs: Inputs, models: Names, at: Pixel | Sequence[Pixel], **options: Unpack[Options]
) -> Figure:
    """What a channel, group or head (``shown``: "c17", "group 3") answers to most: its map over
    each picture, and the patches; ``viz.evaluation.strongest`` finds them in a data set."""
    return compose("strongest", inputs, models, at, **options)


def compose(
    preset: str,
    inputs: Inputs,
    models: Names,
    at: Pixel | Sequence[Pixel] = (),
    **options: Unpack[Options],
) -> Figure:
    """Return the figure of a preset by its name; InputError for an option that there is not.

    ``sources`` may be among the options: where media and networks are read from.
    """
    given = [models] if isinstance(models, str | LoadedModel) else models
    loaded = [one for one in given if isinstance(one, LoadedModel)]
    names = [one.id if isinstance(one, LoadedModel) else one for one in given]
    sources = options.pop("sources", None) or FileSources(loaded=loaded)
    of_inputs = {field.name for field in fields(Asked)}
    asked = Asked(**{k: v for k, v in options.items() if k in of_inputs})
    others = {k: v for k, v in options.items() if k not in of_inputs}
    composition.check_second(preset, asked.second)
    found = composition.references(sources, _several(inputs), names, at, asked)
    made = composition.composed(preset, found, **others)
    needs.check(preset, found, sources)
    named = composition.by_answer(made.references, sources)
    return Figure(replace(made, references=named), sources)


def _several(given: Inputs) -> Sequence[str | Path]:
    return [given] if isinstance(given, str | Path) else given


def _with_options(function: Callable[..., Figure]) -> None:
    """Let a function's signature list every option, so that notebooks complete them."""
    signature = inspect.signature(function)
    fixed = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
    named = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=..., annotation=hint)
        for name, hint in get_type_hints(Options).items()
    ]
    function.__signature__ = signature.replace(parameters=[*fixed, *named])


for _function in (
    parts, frames, heatmaps, view, arrows, groups, matches, gates, matrix, objects, strongest,
    compose,
):  # fmt: skip
    _with_options(_function)
