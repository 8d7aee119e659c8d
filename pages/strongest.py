"""Strongest patches: what a channel, group or head answers to most, over many pictures."""

import streamlit as st

from errors import counted
from ui import bound, frame, state
from ui.components.pin_cards import pin_cards
from ui.guard import guarded, plain
from ui.numbers.data import choose
from ui.numbers.data.choose import Chosen
from ui.numbers.data.results import Words
from ui.numbers.strongest import search
from ui.numbers.strongest.search import Searched
from ui.server.sending import pictures
from ui.session import loaders
from ui.session.defaults import PICTURE_NETWORKS
from viz.attention import queries
from viz.evaluation.strongest import Sought
from viz.figure.recipe import recipe_json

TABLE = {"hide_index": True, "width": "stretch"}
FIRST = PICTURE_NETWORKS[-1]  # one with channels
AUTOMATIC = "automatic"
PARTS = (AUTOMATIC, "channel", "group", "head", "row")
HOW = (
    "The answer to a patch is the largest size of a value in the map of the channel, group or "
    "head, with that patch as the reference; of each picture its strongest patch counts. Green: "
    "the patch; heat: where its map is at or above the threshold."
)


WORDS = Words(
    "**Search**",
    "What is below was found in these pictures with these settings; nothing was searched anew.",
    "This is the earlier search; **Search** goes through what is chosen now.",
    "**Search** goes through what is chosen on the left.",
    "This is the earlier search, of other pictures or settings.",
)


def main() -> None:
    """Draw the page."""
    pin_cards.sidebar()
    left, right = st.columns([3, 1], vertical_alignment="center")
    left.markdown("#### Strongest patches: what excites this channel?")
    told = st.container()
    with st.container():
        with st.sidebar:
            st.subheader("Data set")
            chosen = None
            with guarded():
                chosen = choose.choose()
            st.subheader("What answers")
            network, sought = _asked()
        pressed = right.button(
            "Search", type="primary", icon=":material/play_arrow:", width="stretch",
            disabled=chosen is None or network is None,
        )  # fmt: skip
        found = _found(chosen, network, sought, pressed)
    if found is not None:
        with st.container(), guarded():
            shown(found)
    bound.finish(later=[state.STRONGEST_NUMBER])
    with told:
        bound.problems()


def _asked() -> tuple[str | None, Sought]:
    """Draw the choice of the network, its block and what answers in it."""
    entries = {one.id: one for one in loaders.catalogue_entries() if one.spec is not None}
    names = list(entries)
    index = names.index(FIRST) if FIRST in names else 0
    network = bound.choice("Network", names, state.STRONGEST_NETWORK, index=index)
    if network is None:
        return None, Sought()
    labels = queries.block_labels(entries[network].spec)
    block = bound.choice("Block", labels, state.STRONGEST_BLOCK, index=max(0, len(labels) - 1))
    part = bound.pills(
        "Each", PARTS, state.STRONGEST_PART, AUTOMATIC,
        help="Automatic: channels of CGNL, heads of self-attention, else the one row of NL.",
    )  # fmt: skip
    return network, Sought("" if part == AUTOMATIC else part, block=block)


def _found(
    chosen: Chosen | None, network: str | None, sought: Sought, pressed: bool
) -> Searched | None:
    """Return what is shown: what is chosen if it was searched, else what was before.

    The example is searched at once.
    """
    if chosen is None or network is None:
        return search.RESULTS.before(WORDS)
    found = search.RESULTS.shown(
        lambda: search.mark_of(chosen, loaders.network(network), sought),
        lambda shared: search.run(chosen, network, sought, shared),
        pressed,
        chosen.title == choose.EXAMPLE and network == FIRST,
        WORDS,
    )
    return None if found is None else found.of(chosen)


def shown(made: Searched) -> None:
    """Draw the strongest patches of one channel, and offer the files."""
    part, count = made.found.part, len(made.found)
    finished = made.found.finished
    done = finished.pictures - len(finished.problems)
    st.markdown(
        f"**{plain(made.chosen.title)}**: {counted(done, 'picture')}; {plain(made.network)} has "
        f"{counted(count, part)}."
    )
    number = 0
    if count > 1:
        title = f"{part.capitalize()} (0 to {count - 1})"
        number = bound.number(title, 0, count - 1, "min", _number(count), width=220)
    answers = made.found.of(int(number))
    figure = made.figure(int(number))
    named = ", ".join(one.picture for one in answers)
    with st.container(key="wide-figure"):  # on a phone wider than the screen: it is scrolled
        words = f"{part} {number}: strongest patches of {named}"
        pictures.show(figure.preview(), words, width="stretch")
    st.caption(HOW)
    st.dataframe(
        [
            {"Rank": k, "Picture": one.picture, "x": round(one.at[0]), "y": round(one.at[1]),
             "Strength": round(one.strength, 4)}
            for k, one in enumerate(answers, 1)
        ],
        **TABLE,
    )  # fmt: skip
    _files(made, f"{part}-{number}", int(number))


def _number(count: int) -> state.Key[int]:
    """Return the key of the number; one that there is not any more is put back to 0."""
    key = state.STRONGEST_NUMBER
    if key.get() >= count:
        key.set(0)
    return key


def _files(made: Searched, stem: str, number: int) -> None:
    figure = made.figure(number)
    with st.container(horizontal=True):
        for kind, mime in (("pdf", "application/pdf"), ("png", "image/png")):
            st.download_button(
                kind.upper(), lambda kind=kind: figure.content(kind), f"{stem}.{kind}", mime,
                key=f"save-strongest-{kind}", on_click="ignore", icon=":material/download:",
            )  # fmt: skip
        st.download_button(
            "Recipe", recipe_json.dumps(figure.recipe), f"{stem}.json", "application/json",
            key="save-strongest-recipe", on_click="ignore", icon=":material/download:",
        )  # fmt: skip
        st.download_button(
            "All as CSV", (made.folder / "strongest.csv").read_bytes, "strongest.csv", "text/csv",
            key="save-strongest-csv", on_click="ignore", icon=":material/download:",
        )  # fmt: skip


frame.require("pages/strongest.py")
main()
