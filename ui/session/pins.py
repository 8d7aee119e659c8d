"""The pins: what was pinned for figures in this session, in the order in which it is drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import streamlit as st

from errors import InputError
from ui import state
from ui.session.media.medium import key_of
from viz.figure.recipe import recipe, recipe_json
from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View
from viz.types import Clip

_MOST_UNDONE = 20
MOST_BYTES = 512 * 2**20
"""Pixels of all pinned clips together; clips that several pins share count once."""


@dataclass(frozen=True, eq=False)
class Pin:
    """A pinned reference, the frames that it was pinned on, and the second picture beside them;
    ``id`` is unique in the session."""

    id: str
    reference: Reference
    clip: Clip
    second: Clip | None = None

    @property
    def clips(self) -> tuple[Clip, ...]:
        """The frames of all its media."""
        return (self.clip,) if self.second is None else (self.clip, self.second)


def pins() -> tuple[Pin, ...]:
    """Return this session's pins, first drawn first."""
    return state.PINS.get()


def made(reference: Reference, clip: Clip, second: Clip | None = None) -> Pin:
    """Return a pin with a new id, which is not among the pins yet: see ``put``."""
    number = state.PINS_MADE.get() + 1
    state.PINS_MADE.set(number)
    return Pin(f"p{number}", reference, clip, second)


Seen = tuple[Network, str | None, str | None]
"""What one network shows: the network, its block, the map kind. Pins have one name for it."""


def seen_in(view: View) -> Seen:
    """Return what a view shows, by which its name is found."""
    return view.network, view.block, view.kind


def names() -> dict[Seen, tuple[str, ...]]:
    """Return the names of everything that pins show, each once; several only where an opened recipe
    has several."""
    found: dict[Seen, dict[str, None]] = {}
    for pin in pins():
        for view in pin.reference.views:
            found.setdefault(seen_in(view), {})[view.label] = None
    return {seen: tuple(labels) for seen, labels in found.items()}


def rename(seen: Seen, name: str) -> None:
    """Give what a network shows a name in all pins. InputError for one that no recipe may hold."""
    put(replace(pin, reference=_named(pin.reference, {seen: name})) for pin in pins())


def _named(reference: Reference, given: Mapping[Seen, str]) -> Reference:
    views = (replace(one, label=given.get(seen_in(one), one.label)) for one in reference.views)
    return replace(reference, views=tuple(views))


def add(reference: Reference, clip: Clip, second: Clip | None = None) -> Pin:
    """Put a pin behind the others and return it; what it shows has the names that pins have for it.

    InputError where there are too many pins, or the reference is none that a recipe may hold.
    """
    given = {seen: first for seen, (first, *_others) in names().items() if first}
    put((*pins(), made(_named(reference, given), clip, second)))
    return pins()[-1]


def put(wanted: Iterable[Pin]) -> None:
    """Make these the pins, in this order. InputError, and nothing is changed, over the limits."""
    shared: dict[str, Clip] = {}
    kept = tuple(_sharing(pin, shared) for pin in wanted)
    _check(kept, shared.values())
    _set(kept)


def _set(kept: tuple[Pin, ...]) -> None:
    """Make these the pins, and remember those before."""
    state.PINS_BEFORE.set((*state.PINS_BEFORE.get(), pins())[-_MOST_UNDONE:])
    state.PINS.set(kept)


def can_undo() -> bool:
    """Tell whether pins were added, removed or changed before."""
    return bool(state.PINS_BEFORE.get())


def undo() -> None:
    """Take back what was last done to the pins."""
    *earlier, before = state.PINS_BEFORE.get()
    state.PINS_BEFORE.set(tuple(earlier))
    state.PINS.set(before)


def _sharing(pin: Pin, shared: dict[str, Clip]) -> Pin:
    """Let pins of the same frames hold them once."""
    clip, *others = (shared.setdefault(key_of(one), one) for one in pin.clips)
    second = others[0] if others else None
    same = clip is pin.clip and second is pin.second
    return pin if same else replace(pin, clip=clip, second=second)


def update(id: str, reference: Reference) -> None:
    """Give a pin another reference (its label, parts, crop); an unknown id is passed over."""
    put(replace(p, reference=reference) if p.id == id else p for p in pins())


def remove(id: str) -> None:
    """Take a pin out; an unknown id is passed over."""
    kept = tuple(p for p in pins() if p.id != id)
    if kept != pins():
        _set(kept)


def clear() -> None:
    """Take all pins out."""
    _set(())


def clip_of(medium: Medium) -> Clip | None:
    """Return the frames of a medium that is pinned, known by sha256, frames, levels; or None."""
    wanted = (medium.sha256, medium.frames, medium.levels)
    every = (clip for pin in pins() for clip in pin.clips)
    return next(
        (clip for clip in every if (clip.sha256, clip.numbers, clip.levels) == wanted), None
    )


def page_link() -> None:
    """Draw the way to the Figure page."""
    st.page_link("pages/figure.py", label="Make a figure", icon=":material/grid_view:")


def _check(wanted: tuple[Pin, ...], clips: Iterable[Clip]) -> None:
    if len(wanted) > recipe.MOST_REFERENCES:
        raise InputError(
            f"A figure has at most {recipe.MOST_REFERENCES} pins, not {len(wanted)}; remove "
            "some on the Figure page."
        )
    size = sum(clip.frames.nbytes for clip in clips)
    if size > MOST_BYTES:
        raise InputError(
            f"The pinned frames would take {size / 2**20:.0f} MB, of at most "
            f"{MOST_BYTES / 2**20:.0f}; remove pins of other clips on the Figure page, or take "
            "fewer frames."
        )
    if wanted:
        recipe_json.checked(Recipe("parts", tuple(p.reference for p in wanted)))
