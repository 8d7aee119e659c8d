"""Which maps of a kind are listed and shown large: the sidebar's section of a kind."""

import re
from dataclasses import dataclass

import streamlit as st

from errors import InputError, plural
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from ui import bound, state
from ui.guard import guarded
from viz.attention.choice import DEFAULT_COUNT, PARTS, SUMMARIES, MapChoice, Selection
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.registry import KINDS, selection

LIST = "list"
_MOST_LISTED, _MOST = 24, 12


@dataclass(frozen=True)
class Listing:
    """What is listed of a kind: ``maps`` and ``count`` as a view has them, the one shown large, and
    whether they are ranked by class evidence."""

    maps: str = "auto"
    count: int = DEFAULT_COUNT
    shown: MapChoice | None = None
    by_class: bool = False


@dataclass(frozen=True)
class _Keys:
    """The widgets of a kind's section: how maps are ranked, a list, a count, the large map."""

    ranking: state.Key[str | None]
    listed: state.Key[str | None]
    count: state.Key[int | None]
    focus: state.Key[str | None]


_KEYS = {
    "channels": _Keys(state.CHANNELS, state.CHANNEL_LIST, state.CHANNEL_COUNT, state.FOCUS),
    "class maps": _Keys(state.CLASSES, state.CLASS_LIST, state.CLASS_COUNT, state.CLASS_FOCUS),
}


def _keys(kind: MapKind) -> _Keys:
    made = (state.widget(f"{kind.name}-{one}") for one in ("ranking", "list", "count", "focus"))
    return _KEYS.get(kind.name) or _Keys(*made)


def choose(kind: MapKind, specs: list[NetworkSpec | WrappedSpec]) -> Listing:
    """Draw the section of a kind that networks of these specs are shown as; nothing to choose
    where a reference has one map."""
    divisions = max(_divisions(kind, spec) for spec in specs)
    keys = _keys(kind)
    if not kind.part:
        return _one_division(kind, keys, divisions)
    st.subheader(f"{kind.title} maps")
    rankings = (*kind.rankings, *([kind.class_ranking] if kind.class_ranking else []), LIST)
    how = bound.worded(
        f"Rank {plural(kind.part)} by", rankings, keys.ranking,
        lambda one: kind.ranking_words.get(one, one), help=_help(kind),
    )  # fmt: skip
    found = _numbers(kind, keys) if how == LIST else _ranked(kind, keys, how, divisions)
    listed = selection(found.maps, found.count)
    options = [str(MapChoice(kind.part, k + 1, by_rank=True)) for k in range(listed.most)]
    options += [str(MapChoice(kind.division, k)) for k in range(divisions)]
    options += _kept(kind, keys)
    if keys.focus.get() not in (None, *options):
        keys.focus.set(options[0])
    focus = bound.worded(
        "Large map", options, keys.focus, _in_words,
        help="A click on a small map chooses it, too; “Keep” under the picture keeps one for "
        "every reference.",
    )  # fmt: skip
    shown = MapChoice.parse(focus if focus in options else options[0])
    return Listing(found.maps, found.count, shown, how == kind.class_ranking and bool(how))


def class_key(network: str) -> state.Key[str]:
    """Return the widget of the class for whose evidence a network's maps are ranked."""
    return state.widget(f"class-{network}", "str", "0")


def put_off(kind: MapKind, network: str) -> None:
    """Keep what the address says of a kind's section for when it is drawn: another kind stands in
    for it."""
    keys = _keys(kind)
    for key in (keys.ranking, keys.listed, keys.count, keys.focus, class_key(network)):
        bound.taken(key.name)


def _one_division(kind: MapKind, keys: _Keys, count: int) -> Listing:
    """Draw which head is shown large, or what is made of all; nothing to choose of one."""
    if count < 2:
        return Listing()
    st.subheader(f"{kind.title} maps")
    options = ["mean", "maximum", *(str(MapChoice(kind.division, k)) for k in range(count))]
    if keys.focus.get() not in (None, *options):
        keys.focus.set(options[0])
    focus = bound.choice(
        "Large map", options, keys.focus,
        help=f"One {kind.division}, or the mean or maximum of all; a click on a small map chooses "
        "it, too.",
    )  # fmt: skip
    return Listing(shown=MapChoice.parse(focus if focus in options else options[0]))


def _kept(kind: MapKind, keys: _Keys) -> list[str]:
    """Return the map that is kept by its number ("c88"), of the widget or of the address."""
    text = keys.focus.get() or st.query_params.get(keys.focus.name, "")
    pattern = f"{PARTS[kind.part].tag}[0-9]{{1,5}}"
    return [text] if kind.part in PARTS and re.fullmatch(pattern, text) else []


def _in_words(name: str) -> str:
    """Return "1st-ranked channel" for "channel 1", "channel c88" for "c88"."""
    one = MapChoice.parse(name)
    if one.number is None:
        return name
    if one.by_rank:
        return f"{_ordinal(one.number)}-ranked {one.part}"
    return name if " " in name else f"{one.part} {name}, kept"


def _ordinal(number: int) -> str:
    teens = number % 100 in (11, 12, 13)
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def _divisions(kind: MapKind, spec: NetworkSpec | WrappedSpec) -> int:
    """Return how many groups or heads a network's blocks have at most, where the kind has such."""
    if isinstance(spec, WrappedSpec):
        return max(layer.heads for layer in spec.layers) if kind.division == "head" else 0
    block = getattr(spec, "block", None)
    return getattr(block, f"{kind.division}s", 0) if kind.division else 0


def _help(kind: MapKind) -> str:
    words = kind.ranking_help
    if kind.class_ranking:
        words += f" {kind.class_ranking}: gradient times response for a class, one backward pass."
    return f"{words} {LIST}: the numbers you give."


def _ranked(kind: MapKind, keys: _Keys, how: str, divisions: int) -> Listing:
    if how == "one per group":
        return Listing(how, max(1, divisions))
    count = bound.slider("How many", 1, _MOST, DEFAULT_COUNT, 1, keys.count)
    ranking = kind.rankings[0] if how == kind.class_ranking else how
    return Listing(ranking, count)


def _numbers(kind: MapKind, keys: _Keys) -> Listing:
    words = f"{kind.part.capitalize()} numbers"
    text = bound.text(words, "0,1,2,3,4", keys.listed, max_chars=200)
    with guarded():
        return _listed(kind, text)
    return Listing()


def _listed(kind: MapKind, text: str) -> Listing:
    """Return the maps of a list of numbers; InputError where it is none."""
    try:
        found = selection(text)
    except InputError:
        found = Selection()
    if not 0 < len(found.listed) <= _MOST_LISTED:
        raise InputError(
            f"{text[:80]!r} is not a {kind.part} list: write 1 to {_MOST_LISTED} numbers, e.g. "
            "0,3,17 or 1-4."
        )
    return Listing(str(found), len(found.listed))


def focus_on(name: str) -> None:
    """Show a map large that was clicked: "channel 2" belongs to the kind with channels, and so
    does "c88", which is kept."""
    try:
        word = MapChoice.parse(name).part
    except InputError:
        return
    for kind in KINDS.values():
        of_all = not kind.part and kind.division and word in SUMMARIES
        if word and (word in (kind.part, kind.division) or of_all):
            _keys(kind).focus.set(name)
