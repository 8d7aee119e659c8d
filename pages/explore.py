"""Explore: what the patch under the pointer attends to, in one or two networks."""

from contextlib import AbstractContextManager
from urllib.parse import urlencode

import streamlit as st

from ui import bound, frame, state
from ui.components.keeper import keeper
from ui.components.picker.payload import pack
from ui.components.picker.picker import cut, focused, picked, picked_object, picker
from ui.components.pin_cards import pin_cards
from ui.explore import (
    answers,
    explanations,
    linked_networks,
    objects,
    people,
    scene,
    second_picture,
)
from ui.explore.settings import map_choice
from ui.explore.sidebar import Settings, examples, sidebar
from ui.server import waiting
from ui.server.sending import order
from ui.session import kept_view, loaders, missing, pin_button, reference_patch
from ui.session.media import arrivals, linked, medium, second
from viz.attention.predictions import prediction_words
from viz.figure.resolve import Scene, Shot

TABLE = {"hide_index": True, "width": "stretch"}


def canvas(found: Scene, settings: Settings) -> None:
    """Draw the pictures that follow the pointer."""
    key = f"picker-{medium.key_of(found.clip)}"
    # Streamlit keeps the callbacks of every canvas that a session had: none may hold its scene.
    state.SCENE.set(found)

    def on_pick() -> None:
        shown: Scene = state.SCENE.get()
        place, number, detector = picked(key), picked_object(key), objects.lead(shown)
        if place is not None and number is not None and detector is not None:
            objects.pin(detector, number, place[0])
        elif place is not None:
            reference_patch.pin(shown.shots[0].capture, shown.shots[0].block, place)

    def on_focus() -> None:
        if (name := focused(key)) is not None:
            map_choice.focus_on(name)

    def on_threshold() -> None:
        if (value := cut(key)) is not None:
            state.THRESHOLD.set(value)

    blob = pack(found, settings.look, scene.headings(found, settings), objects.drawn(found))
    picker(blob, key, on_pick, on_focus, on_threshold)
    many = len(found.clip.frames) > 1
    st.caption(HOW_TWO if found.second else HOW_CLIP if many else HOW)


def found_inside(found: Scene) -> None:
    """List the objects that a detector found, and what people in boxes do."""
    with st.container():
        objects.chooser(found)
    with st.container():
        people.chooser(found)


def pinned(found: Scene) -> None:
    """Show the reference inputs and the exact values."""
    left, _room = st.columns(2)
    with left:
        reference_patch.inputs(found.shots[0].capture, found.shots[0].block)
    # A column a network: it fits a narrow window, where a line a network does not.
    st.table(scene.value_table(found), hide_index=True)
    second_picture.table(found)


def answered(shot: Shot) -> None:
    """Show the network's answer, and at which size it was taken."""
    if rows := answers.table(shot):
        st.table(rows, hide_index=True)
    else:
        st.caption(prediction_words(shot.answering))
    if words := answers.note(shot):
        st.caption(words)


def explained(found: Scene) -> None:
    """Show predictions, and how to read each map."""
    columns = st.columns(len(found.shots))
    for number, (column, shot) in enumerate(zip(columns, found.shots, strict=True)):
        with column:
            st.markdown(f"**{scene.heading(shot)}**")
            answered(shot)
            # In a line of text, and not set apart: it breaks where there is little room.
            st.markdown(rf"$\displaystyle {shot.kind.formula(shot.block)}$")
            st.write(shot.kind.sentence(shot.block))
            if found.second is not None:
                st.caption(second_picture.how(shot))
            if shot.capture.frames == 1 and shot.block.key_grid.frames > 1:
                st.caption(explanations.held_still(shot.block))
            alone = found.second is None  # what follows is said of one picture
            for note in shot.kind.notes(shot.block, shot.cell) if alone else ():
                st.caption(note)
            if alone and (scores := shot.kind.scores(shot.block, shot.cell)):
                st.caption(explanations.SCORES)
                st.dataframe(scores, **TABLE)
            explanations.feature_colours(shot, number)
            if alone and shot.kind.referenced:
                dependence = loaders.dependence(shot.capture, shot.block)
                st.write(explanations.dependence_sentence(dependence))
                explanations.statistics(shot, number)


def toolbar(found: Scene, settings: Settings) -> None:
    """Offer the view for a figure, as a PNG, its maps as float32, its recipe and its address."""
    # Imported here, behind the canvas: the first map does not wait for what draws pages.
    from ui.explore import pinned_view
    from viz.figure.files import maps_file
    from viz.figure.recipe import recipe_json

    figure = pinned_view.figure_of(found, settings.look, settings.dpi)

    def npz() -> bytes:
        frame = found.reference.frame
        return maps_file.npz(found.shots, frame, found.clip, full=True, second=found.second)

    files = {
        "PNG": ("png", "image/png", waiting.saved(lambda: figure.content("png"))),
        "Maps": ("npz", "application/octet-stream", waiting.saved(npz)),
        "Recipe": ("json", "application/json", recipe_json.dumps(figure.recipe)),
    }
    stem = pinned_view.file_stem(found)
    with st.container(horizontal=True, horizontal_alignment="right"):
        pin_button.button(
            "pin", found.clip, lambda: pinned_view.reference_of(found, settings.look),
            found.second.clip if found.second else None,
        )  # fmt: skip
        for label, (kind, mime, content) in files.items():
            st.download_button(
                label, content, f"{stem}.{kind}", mime, key=f"save-{kind}", on_click="ignore",
                icon=":material/download:", help=FILES[kind],
            )  # fmt: skip
        with st.popover("Link", icon=":material/link:"):
            st.code(f"{st.context.url or ''}?{urlencode(st.query_params.to_dict())}", None)
            st.caption("It has names and hashes of files and networks, never their content.")


def movie_maker(found: Scene, settings: Settings) -> None:
    """Offer a movie of a clip's view."""
    from ui.explore import pinned_view
    from ui.session import movies

    figure = pinned_view.figure_of(found, settings.look, settings.dpi)
    if movies.can_move(figure):
        movies.maker(figure, pinned_view.file_stem(found), "view")


STYLE = """<style>
.st-key-toolbar { min-height: 2.6rem; }
.st-key-pin { min-width: 8.4rem; } .st-key-save-png { min-width: 4.8rem; }
.st-key-save-npz { min-width: 5.1rem; } .st-key-save-json { min-width: 5.6rem; }
@media (max-width: 500px) { /* words alone, so that all fit beside one another */
  .st-key-toolbar :is(.st-key-pin, [class*="st-key-save-"]) { min-width: 0; }
  .st-key-toolbar button { padding: 0.25rem 0.55rem; min-height: 2.2rem; }
  .st-key-toolbar :has(> [data-testid="stIconMaterial"]) { display: none; }
}
.st-key-examples img, .st-key-second-examples img {
    height: 2.6rem; max-height: 2.6rem; border-radius: 4px;
}
</style>"""
FILES = {
    "png": "What you see, as a picture with its recipe inside.",
    "npz": "The maps as float32 arrays.",
    "json": "Everything that is needed to draw the picture again.",
}
HOW = (
    "Move the pointer over a picture: the maps follow. Click, or press Enter after the arrow keys, "
    "to pin the reference patch. Values marked ≈ come from the browser; pinned values below are "
    "exact."
)
HOW_TWO = (
    "Move the pointer over the first picture: what its patch attends to lights up in both, and the "
    "best matches in the second are numbered. Click, or press Enter after the arrow keys, to pin. "
    "Values marked ≈ come from the browser; pinned values below are exact."
)
HOW_CLIP = (
    "Move the pointer over any frame: all frames show what its patch attends to. Click to pin. "
    "Space plays; comma and full stop step through the frames; arrow keys and square brackets move "
    "the patch in space and time, Enter pins. Values marked ≈ come from the browser; pinned values "
    "below are exact."
)


def main() -> None:
    """Draw the page."""
    kept_view.begin()
    linked.from_address()
    second.from_address()
    st.html(STYLE)
    with st.container(key="head"):
        left, right = st.columns([2, 7], vertical_alignment="center")
        left.markdown("#### Explore")
        above = right.container(key="toolbar")
    with st.container():
        arrivals.settle()
    pin_cards.sidebar()
    with st.sidebar:
        keeper.words()
    if missing.lacking():
        missing.ask()
        missing.ways_on()
    if state.LINKED.get() is None:
        view(above)


def view(above: AbstractContextManager) -> None:
    """Draw the view, and what is said and offered above it.

    What comes and goes (notes, errors, what is being computed) has places of its own above the
    view: nothing below moves, and no input is there twice while the page is drawn anew.
    """
    told, work = st.container(), st.container()
    with order.sidebar_after():
        settings = sidebar()
        with work:
            found = _found(settings)
        if found is None:
            reference_patch.show_medium(medium.in_use())
            return
        state.ENDS.set(scene.ends(found))
        left, right = st.columns([5, 3], vertical_alignment="center")
        words = second_picture.sentence if found.second else explanations.strong_sentence
        left.markdown(words(found))
        with right:
            examples()
        with st.container():
            canvas(found, settings)
    found_inside(found)
    with st.container():
        pinned(found)
    linked_networks.show_sources(found, settings.views)
    bound.finish()
    kept_view.note()
    with above:
        toolbar(found, settings)  # its link is the whole address
    with st.container():
        movie_maker(found, settings)
    with st.container():
        explained(found)
    with told:
        bound.problems()


def _found(settings: Settings | None) -> Scene | None:
    """Return what is shown, or say why nothing is."""
    if problem := state.UPLOAD_PROBLEM.get():
        st.error(problem)
    clip = medium.guarded_sample(settings.sampling) if settings else None
    if clip is None:
        return None
    linked_networks.ask()
    found = scene.scene(clip, settings)
    if found is None and not state.STOPPED.get():  # else that was said, and how to go on
        st.info("No network could be shown for this picture; choose another network or picture.")
    return found


frame.require("pages/explore.py")
main()
