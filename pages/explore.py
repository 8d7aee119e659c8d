"""Explore: what the patch under the pointer attends to, in one or two networks."""

import streamlit as st

from ui import frame, state
from ui.components.picker.payload import pack
from ui.components.picker.picker import focused, picked, picker
from ui.explore import explanations, map_choice, scene
from ui.explore.sidebar import Settings, sidebar
from ui.session import loaders, medium, pin_button, reference_patch
from ui.session import pins as session_pins
from viz.attention.predictions import prediction_words
from viz.figure.resolve import Scene

TABLE = {"hide_index": True, "width": "stretch"}


def canvas(found: Scene, settings: Settings) -> None:
    """Draw the pictures that follow the pointer."""
    key, lead = f"picker-{medium.key_of(found.clip)}", found.shots[0]

    def on_pick() -> None:
        if (place := picked(key)) is not None:
            reference_patch.pin(lead.capture, lead.block, place)

    def on_focus() -> None:
        if (name := focused(key)) is not None:
            map_choice.focus_on(name)

    picker(pack(found, settings.look, scene.headings(found, settings)), key, on_pick, on_focus)
    st.caption(HOW_CLIP if len(found.clip.frames) > 1 else HOW)


def pinned(found: Scene) -> None:
    """Show the reference inputs and the exact values."""
    left, right = st.columns([2, 5], vertical_alignment="bottom")
    with left:
        reference_patch.inputs(found.shots[0].capture, found.shots[0].block)
    with right:
        st.dataframe([scene.value_row(found, shot) for shot in found.shots], **TABLE)


def explained(found: Scene) -> None:
    """Show predictions, and how to read each map."""
    for column, shot in zip(st.columns(len(found.shots)), found.shots, strict=True):
        with column:
            st.markdown(f"**{scene.heading(shot)}**")
            if rows := scene.top_table(shot):
                st.dataframe(rows, column_config=SHARES, **TABLE)
            else:
                st.caption(prediction_words(shot.capture))
            st.latex(shot.kind.formula(shot.block))
            st.write(shot.kind.sentence(shot.block))
            if shot.capture.frames == 1 and shot.block.key_grid.frames > 1:
                st.caption(explanations.held_still(shot.block))
            for note in shot.kind.notes(shot.block, shot.cell):
                st.caption(note)
            if scores := shot.kind.scores(shot.block, shot.cell):
                st.caption(explanations.SCORES)
                st.dataframe(scores, **TABLE)
            explanations.feature_colours(shot)
            if shot.kind.referenced:
                number = loaders.dependence(shot.capture, shot.block)
                st.write(explanations.dependence_sentence(number))


def saves(found: Scene, settings: Settings) -> None:
    """Offer the view for a figure, as a PNG, the maps as float32, and how they were made."""
    # Imported here, behind the canvas: the first map does not wait for what draws pages.
    from ui.explore import pinned_view
    from ui.session import movies
    from viz.figure.files import maps_file
    from viz.figure.recipe import recipe_json

    figure = pinned_view.figure_of(found, settings.look)

    def npz() -> bytes:
        return maps_file.npz(found.shots, found.reference.frame, found.clip, full=True)

    files = {
        "PNG of this view": ("view.png", "image/png", lambda: figure.content("png")),
        "Maps (.npz)": ("maps.npz", "application/octet-stream", npz),
        "Recipe (.json)": ("recipe.json", "application/json", recipe_json.dumps(figure.recipe)),
    }
    pin_button.button("pin", found.clip, lambda: pinned_view.reference_of(found))
    with st.container(horizontal=True):
        for label, (name, mime, content) in files.items():
            st.download_button(label, content, name, mime, key=f"save-{name}", on_click="ignore")
    if movies.can_move(figure):
        movies.maker(figure, "view")


HOW = (
    "Move the pointer over a picture: the maps follow. Click, or press Enter after the arrow keys, "
    "to pin the reference patch. Values marked ≈ come from the browser; pinned values below are "
    "exact."
)
HOW_CLIP = (
    "Move the pointer over any frame: all frames show what its patch attends to. Click to pin. "
    "Space plays; comma and full stop step through the frames; arrow keys and square brackets move "
    "the patch in space and time, Enter pins. Values marked ≈ come from the browser; pinned values "
    "below are exact."
)
SHARES = {"Share": st.column_config.ProgressColumn(format="percent", min_value=0.0, max_value=1.0)}


def main() -> None:
    """Draw the page."""
    session_pins.link()
    settings = sidebar()
    st.markdown("#### Explore: what does this patch attend to?")
    if problem := state.UPLOAD_PROBLEM.get():
        st.error(problem)
    if settings is None:
        return
    clip = medium.guarded_sample(settings.sampling)
    if clip is None:
        return
    found = scene.scene(clip, settings)
    if found is None:
        st.info("No network could be shown for this picture; choose another network or picture.")
        return
    canvas(found, settings)
    pinned(found)
    saves(found, settings)
    explained(found)


frame.require("pages/explore.py")
main()
