"""Explore: what the patch under the pointer attends to, in one or two networks."""

import streamlit as st

from ui import frame
from ui.components.picker.payload import pack
from ui.components.picker.picker import focused, picked, picker
from ui.explore import explanations, movies, pinned_view, scene
from ui.explore.sidebar import Settings, sidebar
from ui.session import loaders, medium, pin_button, reference_patch
from ui.session import pins as session_pins
from viz.rendering import save
from viz.rendering.save import View
from viz.types import Clip

TABLE = {"hide_index": True, "width": "stretch"}


def canvas(clip: Clip, settings: Settings, shown: list[scene.Shown]) -> None:
    """Draw the pictures that follow the pointer."""
    key = f"picker-{medium.key_of(clip)}"

    def on_pick() -> None:
        if (cell := picked(key)) is not None:
            reference_patch.pin(*cell)

    def on_focus() -> None:
        if (name := focused(key)) is not None:
            st.session_state["focus"] = name

    panels = [scene.panel(one) for one in shown]
    picker(
        pack(clip, panels, settings.look, settings.focus),
        key,
        on_pick,
        on_focus,
    )
    st.caption(HOW_CLIP if len(clip.frames) > 1 else HOW)


def pinned(clip: Clip, shown: list[scene.Shown], views: list[View]) -> None:
    """Show the reference inputs and the exact values."""
    left, right = st.columns([2, 5], vertical_alignment="bottom")
    with left:
        reference_patch.inputs(clip, shown[0].block.query_grid)
    with right:
        st.dataframe([scene.value_row(view, len(clip.frames)) for view in views], **TABLE)


def explained(shown: list[scene.Shown]) -> None:
    """Show predictions, and how to read each map."""
    for column, one in zip(st.columns(len(shown)), shown, strict=True):
        with column:
            st.markdown(f"**{scene.heading(one)}**")
            st.dataframe(scene.top_table(one), column_config=SHARES, **TABLE)
            st.latex(explanations.formula(one.block))
            st.write(explanations.sentence(one.block))
            if one.capture.frames == 1 and one.block.key_grid.frames > 1:
                st.caption(explanations.held_still(one.block))
            st.write(explanations.dependence_sentence(loaders.dependence(one.block, one.key)))


def saves(clip: Clip, settings: Settings, shown: list[scene.Shown], views: list[View]) -> None:
    """Offer the view for a figure, as a PNG, the maps as float32, and how they were made."""
    files = {
        "PNG of this view": (
            "view.png",
            "image/png",
            lambda: save.view_png(clip, views, settings.look),
        ),
        "Maps (.npz)": ("maps.npz", "application/octet-stream", lambda: save.maps_npz(views, clip)),
        "Recipe (.json)": (
            "recipe.json",
            "application/json",
            lambda: pinned_view.view_recipe(clip, settings, shown),
        ),
    }
    pin_button.button("pin", clip, lambda: pinned_view.reference_of(clip, settings, shown))
    with st.container(horizontal=True):
        for label, (name, mime, content) in files.items():
            st.download_button(label, content, name, mime, key=f"save-{name}", on_click="ignore")
    if len(clip.frames) > 1:
        movies.maker(clip, views, settings.look)


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
    if problem := st.session_state.get("upload_problem"):
        st.error(problem)
    if settings is None:
        return
    clip = medium.guarded_sample(settings.sampling)
    if clip is None:
        return
    shown = scene.scene(clip, settings)
    if not shown:
        st.info("No network could be shown for this picture; choose another network or picture.")
        return
    canvas(clip, settings, shown)
    views = [scene.view(one, settings.focus) for one in shown]
    pinned(clip, shown, views)
    saves(clip, settings, shown, views)
    explained(shown)


frame.require("pages/explore.py")
main()
