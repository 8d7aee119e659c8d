"""The second picture: what the patch answers to in another picture, beside the first."""

from collections.abc import Callable

from errors import InputError
from ui import bound, state
from ui.session.media import arrivals, shelf
from ui.session.media.medium import contents, example, read
from ui.session.naming import medium_of
from viz.figure.recipe.recipe import Medium
from viz.media.footage import Footage
from viz.types import Clip

EXAMPLES = ("second-bird", "bird")
"""Examples that are offered as the second picture."""
_PLACE = "second"
"""Of what is dropped here, among the arrivals."""


def in_use(clip: Clip) -> Clip | None:
    """Return the second picture, or None: without one, and beside a clip."""
    found = state.SECOND.get()
    return found if len(clip.frames) == 1 else None


def _as_picture(found: Footage) -> Clip:
    """Return the one frame of a picture; InputError for a clip."""
    if found.is_clip:
        raise InputError(
            f"{found.name} is a clip; a second picture goes with one picture. Give a picture."
        )
    return found.take((0,))


def drop() -> None:
    """Go back to one picture."""
    arrivals.forget(_PLACE)
    state.SECOND.pop()
    state.SECOND_PROBLEM.pop()
    state.SECOND_LINKED.pop()
    state.SECOND_ROUND.set(state.SECOND_ROUND.get() + 1)


def take_example(name: str, on_change: Callable[[], None]) -> None:
    """Put a drawn example in use as the second picture."""
    state.SECOND_ROUND.set(state.SECOND_ROUND.get() + 1)
    arrivals.forget(_PLACE)
    _use(_as_picture(example(name)), on_change)


def take_upload(key: str, on_change: Callable[[], None]) -> None:
    """Have what was dropped read by the page's run, as the second picture; nothing takes it
    away, where no other file takes its place."""
    upload = state.widget(key).get()
    was_refused = state.SECOND_PROBLEM.pop() is not None
    if upload is None:
        arrivals.forget(_PLACE)
        if not was_refused and not arrivals.is_replaced():
            drop()
        return
    arrivals.note(
        _PLACE,
        arrivals.uploaded(
            (upload,),
            lambda held: _use(_as_picture(read(contents(held))), on_change),
            state.SECOND_PROBLEM.set,
        ),
    )


def _use(found: Clip, on_change: Callable[[], None]) -> None:
    """Put a picture in use."""
    before = state.SECOND.get()
    state.SECOND_PROBLEM.pop()
    state.SECOND.set(found)
    state.SECOND_LINKED.pop()
    if before is None:
        on_change()


def from_address() -> None:
    """Take the second picture that the address names, at the session's beginning."""
    name, sha256 = bound.taken("second"), bound.taken("second_sha256")
    if name in EXAMPLES:
        state.SECOND.set(_as_picture(example(name)))
    elif sha256 is not None and shelf.HASH.fullmatch(sha256):
        state.SECOND_LINKED.set(Medium((name or "a file")[:200], sha256))
    elif name is not None:
        bound.complain(
            f"second={name[:60]} is no second picture; it can be {' or '.join(EXAMPLES)}, "
            "or the name of a file with its second_sha256."
        )


def lacking() -> Medium | None:
    """Return the second picture of the address where it is not here."""
    linked = state.SECOND_LINKED.get()
    if linked is None:
        return None
    found = shelf.find(linked.sha256)
    return None if found is not None and give(found) else linked


def give(found: Footage) -> bool:
    """Take footage where it is the second picture of the address; tell whether it is."""
    linked = state.SECOND_LINKED.get()
    if linked is None or linked.sha256 != found.sha256 or found.is_clip:
        return False
    state.SECOND.set(_as_picture(found))
    state.SECOND_LINKED.pop()
    return True


def address(clip: Clip | None) -> dict[str, str | None]:
    """Return the address's entries of a second picture: name, and sha256 of a file."""
    if clip is None:
        linked = state.SECOND_LINKED.get()
        words = (linked.path, linked.sha256) if linked else (None, None)
        return dict(zip(("second", "second_sha256"), words, strict=True))
    name = medium_of(clip).path
    if name.startswith("example:"):
        return {"second": name.removeprefix("example:"), "second_sha256": None}
    return {"second": name[:200], "second_sha256": clip.sha256}
