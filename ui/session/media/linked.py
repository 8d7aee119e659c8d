"""The medium that an address names by its hash: put in use once it is here, else asked for."""

from collections.abc import Mapping

from ui import bound, state
from ui.session.media import levels, medium, shelf
from viz.figure.recipe.recipe import Medium
from viz.media.footage import Footage


def from_address() -> None:
    """Take the medium that the address names by its hash, at the session's beginning."""
    name, sha256 = bound.taken("file"), bound.taken("sha256")
    if sha256 is None:
        return
    if not shelf.HASH.fullmatch(sha256):
        bound.complain(
            f"sha256={sha256[:60]} is no hash of a file; it has 64 digits 0 to 9, a to f."
        )
        return
    state.LINKED.set(Medium((name or "a file")[:200], sha256, levels=levels.of_address()))


def want(address: Mapping[str, str]) -> None:
    """Ask for the file of an address that was in use before a refresh; without one, for nothing."""
    name, sha256 = address.get("file", "a file"), address.get("sha256", "")
    if shelf.HASH.fullmatch(sha256):
        shown = levels.parsed(address.get("levels", ""))
        state.LINKED.set(Medium(name[:200], sha256, levels=shown))


def show_example() -> None:
    """Give up the medium of the address: the example is shown in its place."""
    state.LINKED.pop()


def lacking() -> Medium | None:
    """Return the medium of the address where it is not here; put it in use where it is."""
    linked = state.LINKED.get()
    if linked is None or medium.in_use().sha256 == linked.sha256:
        state.LINKED.pop()
        return None
    for name in medium.EXAMPLES:
        if medium.example(name).sha256 == linked.sha256:
            state.EXAMPLE.set(name)
            state.LINKED.pop()
            return None
    found = shelf.find(linked.sha256)
    return None if found is not None and give(found) else linked


def give(found: Footage) -> bool:
    """Put footage in use where it is the medium of the address; tell whether it is."""
    linked = state.LINKED.get()
    if linked is None or linked.sha256 != found.sha256:
        return False
    medium.use(levels.as_linked(found, linked.levels))
    state.LINKED.pop()
    return True
