"""The answer of each network, which is said beside its maps and orders the classes of theirs."""

from dataclasses import replace

from ui.guard import plain
from ui.session import loaders
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.registry import kind_of, selection
from viz.attention.predictions import answer_size, by_answer, top_classes
from viz.figure.recipe.recipe import View
from viz.figure.resolve import Scene, Shot
from viz.types import Clip


def capture_of(clip: Clip, view: View, capture: Capture) -> Capture | None:
    """Return the capture of the network's answer, where that is not the one of the view's maps."""
    size = answer_size(capture, view.size)
    return None if size is None else loaders.captured(clip, view.network.id, view.mode, size)


def listed(view: View, block: BlockCapture, answering: Capture) -> View:
    """Return a view that lists the classes of the answer, which the page shows, by number: those
    that rank first in the forward pass of the maps may be others."""
    wanted = by_answer(kind_of(block), selection(view.maps, view.count), answering)
    return replace(view, maps=str(wanted)) if wanted.listed else view


def words(found: Scene, shot: Shot) -> str:
    """Say which answer it is whose classes are listed, where there are several on the page."""
    size = shot.model.spec.preprocessing.size
    where = f" in {found.clip.name}" if found.second else ""
    return where + (f" at {size} px" if shot.answer else "")


def table(shot: Shot) -> list[dict[str, str]]:
    """Return the rows of the top-5 table, for markdown."""
    return [
        {"Class": plain(shot.model.class_name(index)), "Share": f"{share:.1%}"}
        for index, share in top_classes(shot.answering)
    ]


def note(shot: Shot) -> str:
    """Say at which size the answer was taken, where that is not the one of the maps; else ""."""
    if shot.answer is None:
        return ""
    size = shot.model.spec.preprocessing.size
    return (
        f"The answer at {size} px, the size that the network was trained at; the maps are of "
        f"{shot.view.size} px, where answers are less certain."
    )
