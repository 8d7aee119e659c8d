"""Gates: what the descriptors of a CGD network strengthen and weaken in the picture in use."""

import streamlit as st

from ui import bound, frame, state
from ui.components.pin_cards import pin_cards
from ui.guard import guarded, plain
from ui.numbers.gates import gate_view
from ui.server.sending import pictures
from ui.session import loaders, missing, pin_button
from ui.session.media import arrivals, medium
from viz.attention import pipeline
from viz.attention.kinds.gates import GateCapture, gate_layers


def _layer(found: tuple[GateCapture, ...]) -> GateCapture:
    """Draw the choice of a layer; at first the one whose factors differ most from 1."""
    labels, index = [layer.name for layer in found], gate_view.strongest(found)
    return found[labels.index(bound.choice("Layer", labels, state.GATE_LAYER, index=index))]


def main() -> None:
    """Draw the page."""
    pin_cards.sidebar()
    st.markdown("#### Gates: which channels does a CGD network strengthen?")
    entries = loaders.gated_entries()
    if not entries:
        st.info(
            "No network with gates is here. The CGD authors published no weights; open your own "
            "checkpoint on the Models page."
        )
        st.page_link("pages/models.py", label="Open a checkpoint")
        return
    told = st.container()
    with st.container():
        arrivals.settle()
    if missing.lacking():
        missing.ask()
        missing.ways_on()
    if state.LINKED.get() is None:
        view([entry.id for entry in entries])
    bound.finish()
    with told:
        bound.problems()


def view(names: list[str]) -> None:
    """Draw the gates of one network on the picture in use."""
    name = bound.choice("Network", names, state.GATED)
    st.caption(f"In use: {plain(medium.in_use().name)}; choose another on the Explore page.")
    with guarded():
        with st.container():
            model = loaders.network(name)
            clip = medium.sampled(pipeline.sampling_for(model.spec))
            capture = gate_view.captured(name, clip)
        found = gate_layers(capture)
        st.plotly_chart(gate_view.overview(found), key="overview")
        layer = _layer(found)
        st.plotly_chart(gate_view.bars(layer), key="bars")
        shown = gate_view.pictures(layer, clip, capture)
        for column, (title, picture) in zip(st.columns(len(shown)), shown.items(), strict=True):
            words = f"{layer.name}, mean |activation| {title}"
            pictures.show(picture, words, caption=words, place=column)
        pin_button.button(
            "pin-gate", clip, lambda: pin_button.gate_reference(clip, model, layer.name)
        )
        st.dataframe(gate_view.table(found), hide_index=True, width="stretch")
    st.write(
        "A compact global descriptor multiplies every channel by 1 + tanh(z), between 0 and 2; "
        "z is made of the whole picture (He et al. 2019, eqs. 7-12). It has no reference patch and "
        "no affinity row: a factor of 1 leaves a channel as it is, below 1 weakens it, above 1 "
        "strengthens it. The two pictures share one colour scale."
    )


frame.require("pages/gates.py")
main()
