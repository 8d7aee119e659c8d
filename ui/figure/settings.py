"""What the Figure page is set to: preset, look and layout, as one value of the session.

The value, not the widgets, is what counts: it survives other pages, takes an opened recipe's
numbers as they are, and every widget is put to what it says before it is drawn. The browser keeps
it for the next session, beside the pins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from errors import AttentionVizError
from ui import state
from ui.session import missing
from viz.figure.panels.presets import TABLE
from viz.figure.recipe.recipe import Label, Layout, PresetName, Recipe, Reference
from viz.rendering import look as looks
from viz.rendering.look import Look

KEPT = (
    "width_mm", "dpi", "gap_mm", "font", "font_pt", "captions", "labels", "greyscale",
    "mathtext",
)  # fmt: skip
"""Fields of the layout that stay as the user set them when another preset is chosen."""
OF_PINS = ("transpose",)
"""Fields of the layout that the number of pins decides, until the user or a recipe does."""
LISTS = ("row_labels", "column_labels")
"""Fields that belong to the rows and columns of one preset, which remembers them."""

_OF_LOOK = frozenset(one.name for one in fields(Look))


@dataclass(frozen=True)
class Chosen:
    """The settings; ``given`` are the fields that the user has set, ``lists`` the labels of rows
    and columns by preset."""

    preset: str
    look: Look
    layout: Layout
    given: frozenset[str] = frozenset()
    lists: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    def value(self, name: str) -> object:
        """Return a field of the look or the layout by its name."""
        return getattr(self.look if name in _OF_LOOK else self.layout, name)

    def changed(self, name: str, value: object) -> "Chosen":
        """Return the settings with one field set by the user."""
        part = "look" if name in _OF_LOOK else "layout"
        new = replace(getattr(self, part), **{name: value})
        return replace(self, given=self.given | {name}, **{part: new})

    def with_look(self, look: Look) -> "Chosen":
        """Return the settings with another look."""
        return replace(self, look=look)

    def with_preset(self, preset: str, references: Sequence[Reference] = ()) -> "Chosen":
        """Return the defaults of a preset, with what the user set of the page kept; of one that
        shows what was pinned as it was seen, the look of the first pin that has one."""
        row, lists = TABLE[preset], dict(self.lists)
        lists[self.preset] = tuple(getattr(self.layout, name) for name in LISTS)
        kept = {name: getattr(self.layout, name) for name in KEPT if name in self.given}
        kept |= dict(zip(LISTS, lists.get(preset, ((), ())), strict=True))
        given = self.given & {*KEPT}
        look = seen(references, row.look) if row.as_seen else row.look
        layout = replace(row.layout, **row.fits(references), **kept)
        return Chosen(preset, look, layout, given, lists)

    def fitted(self, references: Sequence[Reference]) -> "Chosen":
        """Return the settings for other pins: fields that the number of pins decides, where the
        user did not."""
        row = TABLE[self.preset]
        fits = replace(row.layout, **row.fits(references))
        new = {name: getattr(fits, name) for name in OF_PINS if name not in self.given}
        return replace(self, layout=replace(self.layout, **new))


_Lines = Annotated[tuple[Label, ...], Field(max_length=400)]
_PAGE = "figure"
"""Of this page, among the choices that the browser keeps."""


@dataclass(frozen=True)
class _Kept:
    """The settings as the browser keeps them; ``free``: the width is given in mm."""

    __pydantic_config__ = {"strict": True, "extra": "forbid", "allow_inf_nan": False}
    preset: PresetName
    look: Look
    layout: Layout
    given: Annotated[tuple[str, ...], Field(max_length=100)]
    lists: dict[PresetName, tuple[_Lines, _Lines]]
    free: bool


@cache
def _adapter() -> TypeAdapter[_Kept]:
    return TypeAdapter(_Kept)


def current(references: Sequence[Reference] = ()) -> Chosen:
    """Return the settings; at first the preset that suits what is pinned, in the look in
    which it was pinned."""
    found = state.FIGURE_SETTINGS.get() or _from_browser()
    if found is None:
        preset = suited(references)
        row = TABLE[preset]
        found = Chosen(preset, seen(references, row.look), row.layout)
        if references:
            put(found)
    return found


def seen(references: Sequence[Reference], otherwise: Look) -> Look:
    """Return the look in which the first of these references that has one was pinned."""
    return next((one.look for one in references if one.look is not None), otherwise)


def suited(references: Sequence[Reference]) -> str:
    """Return the preset to begin with: gates without a patch, frames for clips, else parts."""
    if references and all(one.at is None for one in references):
        return "gates"
    return "frames" if references and references[0].medium.is_clip else "parts"


def put(chosen: Chosen) -> None:
    """Make these the settings, and have the browser keep them."""
    state.FIGURE_SETTINGS.set(chosen)
    _keep(chosen)


def _keep(chosen: Chosen) -> None:
    kept = _Kept(
        chosen.preset, chosen.look, chosen.layout, tuple(sorted(chosen.given)), chosen.lists,
        state.FIGURE_FREE_WIDTH.get(),
    )  # fmt: skip
    text = _adapter().dump_json(kept, warnings=False).decode()
    state.BROWSER_CHOICES.set({**state.BROWSER_CHOICES.get(), _PAGE: text})


def _from_browser() -> Chosen | None:
    """Return the settings that the browser has kept, and make them those of the session; None where
    it has none. What this program would not have written is passed over."""
    text = state.BROWSER_CHOICES.get().get(_PAGE)
    if text is None:
        return None
    try:
        kept = _adapter().validate_json(text)
        looks.check_range(*kept.look.fixed_range, "the range")
    except (ValidationError, AttentionVizError):
        return None
    if kept.layout.own_font:  # pages read no font
        return None
    found = Chosen(kept.preset, kept.look, kept.layout, frozenset(kept.given), kept.lists)
    state.FIGURE_FREE_WIDTH.set(kept.free)
    put(found)
    return found


def follow(after: Sequence[str], references: Sequence[Reference]) -> bool:
    """Let an opened recipe's labels of rows go where the pins went, and the layout fit as many as
    there are; ``after`` are their ids now.

    False where rows are not pins: then nobody knows whose the labels are, and they are dropped.
    """
    before, after = state.FIGURE_ROWS.get(), tuple(after)
    state.FIGURE_ROWS.set(after)
    chosen = state.FIGURE_SETTINGS.get()
    if chosen is None or before in ((), after):
        return True
    chosen = chosen.fitted(references)
    put(chosen)
    labels = chosen.layout.row_labels
    if not labels:
        return True
    fits = chosen.preset == "parts" and len(labels) <= len(before)
    named = dict(zip(before, [*labels, *[""] * len(before)], strict=False))
    moved = tuple(named.get(id, "") for id in after) if fits else ()
    put(replace(chosen, layout=replace(chosen.layout, row_labels=moved)))
    return fits


def take(recipe: Recipe) -> None:
    """Set everything as a recipe says; the page's fields then count as set by the user."""
    state.FIGURE_FREE_WIDTH.set(False)
    put(Chosen(recipe.preset, recipe.look, recipe.layout, frozenset((*KEPT, *OF_PINS))))
    state.FIGURE_ROWS.pop()


def forget() -> None:
    """Go back to the defaults."""
    state.FIGURE_SETTINGS.pop()
    state.FIGURE_FREE_WIDTH.pop()
    others = {page: text for page, text in state.BROWSER_CHOICES.get().items() if page != _PAGE}
    state.BROWSER_CHOICES.set(others)


def forget_unless_given() -> None:
    """Go back to the defaults once nothing is pinned any more, and nothing waits for its file; what
    the user set of the page stays."""
    if missing.pending() is None and not current().given:
        forget()


def is_free() -> bool:
    """Tell whether the width is given in mm, and not by a venue."""
    return state.FIGURE_FREE_WIDTH.get()


def set_free(free: bool) -> None:
    """Say whether the width is given in mm."""
    state.FIGURE_FREE_WIDTH.set(free)
    if (chosen := state.FIGURE_SETTINGS.get()) is not None:
        _keep(chosen)
