"""What an evaluation found, as charts, tables, pictures and files."""

import shlex
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from errors import counted
from ui import bound, state
from ui.guard import plain
from ui.numbers.evaluate import charts
from ui.numbers.evaluate.evaluated import Evaluated
from ui.numbers.evaluate.settings import Wanted
from ui.server.sending import pictures
from viz.evaluation.evaluate import Asked
from viz.evaluation.report import definitions
from viz.evaluation.report.summary import Difference, Line

TABLE = {"hide_index": True, "width": "stretch"}
_SHOWN = 8
FILES = {
    "summary.csv": ("Means", "text/csv"),
    "differences.csv": ("Differences", "text/csv"),
    "summary.pdf": ("Plot", "application/pdf"),
    "cases.csv": ("Every case", "text/csv"),
    "cases.parquet": ("Every case", "application/vnd.apache.parquet"),
}
"""Name of a file -> what it holds, media type."""


def show(made: Evaluated) -> None:
    """Draw the results."""
    finished = made.found.finished
    done = finished.pictures - len(finished.problems)
    of_what = ", ".join(made.wanted.networks)
    st.markdown(f"**{plain(made.title)}**: {counted(done, 'picture')}, {plain(of_what)}")
    _problems(made)
    names = ("Means", "Differences", "Best and worst", "Files", "What is measured")
    makers = (_means, _differences, _pictures, _files, _definitions)
    for tab, fill in zip(st.tabs(names), makers, strict=True):
        with tab:
            fill(made)


def _problems(made: Evaluated) -> None:
    lines = [*made.dataset.notes]
    missing = definitions.unmeasured(made.wanted.asked.measured, made.found.measured)
    lines += [f"not measured: {why}" for why in missing]
    lines += [f"{name}: {why}" for name, why in made.found.finished.problems]
    if not lines:
        return
    more = [f"and {len(lines) - _SHOWN} more"] if lines[_SHOWN:] else []
    title = f"{counted(len(lines), 'note')} on what could not be used or measured"
    with st.expander(title, icon=":material/info:"):
        st.markdown("\n".join(f"- {plain(line)}" for line in [*lines[:_SHOWN], *more]))


def _first(names: list[str]) -> int:
    """Return the place of what most come for: parts covered, else the first."""
    wanted = "part coverage, equal area"
    return names.index(wanted) if wanted in names else 0


def _means(made: Evaluated) -> None:
    lines = made.found.summary
    names = list(dict.fromkeys(line.measure for line in lines))
    name = bound.choice("Measure", names, state.EVALUATE_SHOWN, index=_first(names))
    st.caption(plain(definitions.of(name)))
    st.plotly_chart(charts.means(lines, name), key=f"means-chart-{made.mark}")
    st.dataframe([_row(line) for line in lines if line.measure == name], **TABLE)
    with st.expander("All measures"):
        st.dataframe([{"Measure": line.measure, **_row(line)} for line in lines], **TABLE)
    st.caption(
        "Intervals hold 95 % of the means of resampled pictures (bootstrap): cases of one picture "
        "are averaged first."
    )


def _row(line: Line) -> dict[str, object]:
    return {"Network": line.network, "Map": line.map, **_numbers(line)}


def _numbers(line: Line | Difference) -> dict[str, object]:
    mean = line.mean
    return {
        "Mean": round(mean.value, 4),
        "95 % from": round(mean.low, 4),
        "to": round(mean.high, 4),
        "Pictures": mean.pictures,
    }


def _differences(made: Evaluated) -> None:
    lines = made.found.differences
    names = list(dict.fromkeys(one.measure for one in lines))
    if not names:
        st.caption("Choose two networks, or a map to compare with, to see differences.")
        return
    shown = state.EVALUATE_SHOWN.get()  # that of the means, where there are differences of it
    index = names.index(shown) if shown in names else _first(names)
    name = st.selectbox("Measure", names, index=index, key=f"differences-{made.mark}-{index}")
    st.caption(
        "Paired: picture by picture, over those that both have. Where the interval does not "
        "contain 0, the difference is more than chance would make it (95 %)."
    )
    st.plotly_chart(charts.differences(lines, name), key=f"differences-chart-{made.mark}")
    st.dataframe(
        [
            {"Difference": charts.pair_words(one), **_numbers(one), "Leaves 0 out": _is_clear(one)}
            for one in lines
            if one.measure == name
        ],
        **TABLE,
    )


def _is_clear(one: Difference) -> bool:
    return one.mean.low > 0 or one.mean.high < 0


def _pictures(made: Evaluated) -> None:
    if not made.pictures:
        st.caption("No measure of maps ranks the pictures; measure part coverage or energy.")
    for path in made.pictures:
        which, _, network = path.stem.partition("-")
        words = {"best": "What it does best on", "worst": "What it does worst on"}[which]
        st.markdown(f"**{plain(network)}**: {words.lower()}")
        pictures.show(path.read_bytes(), f"{words}: {network}")


def _files(made: Evaluated) -> None:
    for name, (what, mime) in FILES.items():
        path = made.folder / name
        if path.is_file():
            st.download_button(
                f"{what} ({name})", _content(path), name, mime, key=f"save-{name}",
                on_click="ignore", icon=":material/download:",
            )  # fmt: skip
    st.caption("The same on the command line, over any number of pictures:")
    st.code(f"python -m viz evaluate FOLDER {_options(made.wanted)} --out RESULTS", language=None)


def _options(wanted: Wanted) -> str:
    """Return what the command line is given for the same: options that are not the usual ones."""
    asked, usual = wanted.asked, Asked()
    given = [("model", name) for name in wanted.networks]
    lists = (("measures", asked.measured, usual.measured), ("maps", asked.maps, usual.maps))
    given += [(name, ",".join(own)) for name, own, known in lists if own != known]
    names = ("block", "threshold", "area", "parts")
    given += [
        (name, getattr(asked, name))
        for name in names
        if getattr(asked, name) != getattr(usual, name)
    ]
    return " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in given)


def _content(path: Path) -> Callable[[], bytes]:
    return path.read_bytes


def _definitions(_made: Evaluated) -> None:
    st.dataframe(
        [{"Measure": name, "Definition": definitions.of(name)} for name in definitions.WORDS],
        **TABLE,
    )
