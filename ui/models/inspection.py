"""What was found in a checkpoint: family, facts, blocks, sizes, keys; and the way to Explore."""

import streamlit as st

from models.describe import described
from models.report import Report
from models.specs.network import NetworkSpec
from ui import state
from ui.guard import guarded, plain
from ui.session import loaders
from viz.attention import queries

_TABLE = {"hide_index": True, "width": "stretch"}


def inspection(spec: NetworkSpec, report: Report | None) -> None:
    """Show what a network is made of, and how its file was read."""
    with st.spinner("Counting parameters and multiply-adds"):
        known = described(spec)
    st.code("\n".join(known.tree), language=None)
    sizes = f"**{known.parameters / 1e6:.2f} million** parameters, **{known.gmacs:.2f} GMACs** of "
    st.markdown(sizes + "one forward pass at its own input size.")
    if report is not None:
        _account(report)


def _account(report: Report) -> None:
    st.markdown(f"Read as **{plain(report.family)}** from {plain(report.container)}.")
    if report.facts:
        facts = [{"What": f.name, "Value": f.value, "Known from": f.source} for f in report.facts]
        st.dataframe(facts, **_TABLE)
    st.markdown(
        f"**{len(report.renamed)}** keys mapped, **{len(report.ignored)}** ignored; every key is "
        "one or the other, and every parameter of the network is filled."
    )
    if report.ignored:
        with st.expander("Keys ignored, and why"):
            st.dataframe([{"Key": k, "Why": why} for k, why in report.ignored.items()], **_TABLE)
    if report.renamed:
        with st.expander("Keys mapped"):
            rows = [{"Key": k, "Ours": ours} for k, ours in report.renamed.items()]
            st.dataframe(rows, **_TABLE)


def explore_button(spec: NetworkSpec, key: str, label: str = "Use in Explore") -> bool:
    """Offer to look at a network; tell whether that was chosen."""
    attends, gated = bool(queries.block_labels(spec)), loaders.has_gates(spec)
    if gated and not attends:
        label = "Look at its gates"
    pressed = st.button(label, key=key, type="primary", disabled=not (attends or gated))
    if not (attends or gated):
        st.caption(
            "Explore shows NL and CGNL blocks and the stages of ResNets, Gates those of CGD; this "
            "network has neither."
        )
    return pressed


def use_in_explore(name: str, spec: NetworkSpec, key: str, label: str = "Use in Explore") -> None:
    """Offer to look at a network of the catalogue; it is loaded first, so that a failure changes
    nothing."""
    if explore_button(spec, key, label):
        with guarded():
            loaders.network(name)
            go_to(name, spec)


def go_to(name: str, spec: NetworkSpec) -> None:
    """Open the page that shows a network, with it chosen: Explore, or Gates where it has no
    block."""
    if not queries.block_labels(spec):
        state.GATED.set(name)
        st.switch_page("pages/gates.py")
    state.NETWORK.set(name)
    st.switch_page("pages/explore.py", query_params={state.NETWORK.name: name})
