"""Cost: parameters and multiply-adds of networks and blocks, beside what the papers print."""

import shlex

import streamlit as st

from models.specs.network import MAX_FRAMES
from ui import bound, frame, state
from ui.components.pin_cards import pin_cards
from ui.guard import guarded, plain
from ui.numbers.cost import tables
from ui.session import loaders
from viz.attention.pipeline import SIZES, effective

TABLE = {"hide_index": True, "width": "stretch"}
COUNTED = (
    "Multiply-adds are those of convolutions, dense layers and matrix products, counted by torch "
    "on shapes alone; poolings, norms and additions are left out, as in the papers."
)


def network() -> None:
    """Count a network that is here, at any size."""
    entries = {one.id: one for one in loaders.catalogue_entries() if one.spec is not None}
    left, middle, right = st.columns([3, 1, 1])
    with left:
        name = bound.choice("Network", list(entries), state.COST_NETWORK)
    if name is None:
        return
    prep = entries[name].spec.preprocessing
    with middle:
        size = bound.number(
            "Side in pixels", *SIZES, None, state.COST_SIZE, placeholder=str(prep.size),
            disabled=prep.fixed,
        )  # fmt: skip
    with right:
        frames = bound.number(
            "Frames", 1, MAX_FRAMES, None, state.COST_FRAMES, placeholder=str(prep.frames)
        )
    with guarded():
        spec = loaders.network(name).spec
        _mode, side = effective(spec, "fit", size)
        count = frames or prep.frames
        rows = tables.network_rows(spec, count, side)
        st.markdown(f"One forward pass of {count} x {side} x {side}:")
        st.dataframe(rows, **TABLE)
        given = f"--model {shlex.quote(name)} --size {side} --frames {count}"
        st.caption("The same on the command line:")
        st.code(f"python -m viz cost {given}", language=None)


def growth() -> None:
    """Show how blocks grow with the number of positions."""
    st.plotly_chart(tables.growth_chart(), key="growth")
    st.caption(
        f"Whole blocks, from a picture's res4 to 32 frames at four times its resolution. At the "
        f"largest sizes they grow as {tables.growth_words()}: NL compares every position with "
        "every other, CGNL and CGD do not."
    )
    st.caption(tables.growth_steps())
    st.markdown("**The papers' orders of growth, and what is measured** (one frame, N = HW)")
    st.dataframe(tables.order_rows(), **TABLE)


def papers() -> None:
    """Show the papers' own tables beside ours."""
    for title, rows in tables.papers().items():
        st.markdown(f"**{title}**")
        st.dataframe([{k: v for k, v in row.items() if k != tables.WHY} for row in rows], **TABLE)
        if why := [f"{row['Module']}: {row[tables.WHY]}" for row in rows if row[tables.WHY]]:
            st.caption(plain(f"{tables.WHY}. {'; '.join(why)}."))


def main() -> None:
    """Draw the page."""
    pin_cards.sidebar()
    st.markdown("#### Cost: parameters and multiply-adds, beside the papers")
    st.caption(COUNTED)
    told = st.container()
    names = ("A network", "Growth with N", "The papers' tables")
    for tab, fill in zip(st.tabs(names), (network, growth, papers), strict=True):
        with tab, guarded():
            fill()
    st.caption("Growth and the papers' tables on the command line: `python -m viz cost`")
    bound.finish()
    with told:
        bound.problems()


frame.require("pages/cost.py")
main()
