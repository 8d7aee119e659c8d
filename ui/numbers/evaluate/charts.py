"""The means of one measure as a chart: a bar for each network and map, with its interval."""

from collections.abc import Sequence

import plotly.graph_objects as go

from viz.evaluation.measures import MEASURES, OF_PARTS
from viz.evaluation.report.plots import COLOURS
from viz.evaluation.report.summary import Difference, Line

_ROW_PX, _HEAD_PX = 26, 90
INTERVAL = "#808495"
"""Of intervals: seen on white and on black."""


def better_words(measure: str) -> str:
    """Return which way is better."""
    if measure == OF_PARTS[2]:
        return "lower is better"
    way = MEASURES[measure].better if measure in MEASURES else 0
    return {1: "higher is better", -1: "lower is better", 0: ""}[way]


def means(lines: Sequence[Line], measure: str) -> go.Figure:
    """Return the chart of a measure: maps below each other, a colour a network."""
    shown = [line for line in lines if line.measure == measure]
    networks = list(dict.fromkeys(line.network for line in shown))
    figure = go.Figure(layout=_layout(len(shown)))
    for network, colour in zip(networks, _colours(len(networks)), strict=True):
        own = [line for line in shown if line.network == network]
        figure.add_bar(
            y=[line.map for line in own],
            x=[line.mean.value for line in own],
            error_x=_spread([line.mean for line in own]),
            orientation="h",
            name=network,
            marker_color=colour,
        )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title=", ".join(filter(None, (measure, better_words(measure)))))
    return figure


def differences(lines: Sequence[Difference], measure: str) -> go.Figure:
    """Return the paired differences of a measure as points with intervals, and the line at 0."""
    shown = [one for one in lines if one.measure == measure]
    figure = go.Figure(layout=_layout(len(shown)))
    figure.add_scatter(
        y=[pair_words(one) for one in shown],
        x=[one.mean.value for one in shown],
        error_x=_spread([one.mean for one in shown]),
        mode="markers",
        marker={"size": 9, "color": COLOURS[0]},
        showlegend=False,
    )
    figure.add_vline(0.0, line_dash="dot")
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(title=f"difference of {measure}")
    return figure


def pair_words(one: Difference) -> str:
    """Return what was taken from what: network by network, or map by map."""
    (first, of_first), (second, of_second) = one.first, one.second
    if first == second:
        return f"{first}: {of_first} − {of_second}"
    return f"{of_first}: {first} − {second}"


def _spread(found: Sequence) -> dict[str, object]:
    above = [one.high - one.value for one in found]
    below = [one.value - one.low for one in found]
    return {
        "type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1.5,
        "color": INTERVAL,
    }  # fmt: skip


def _colours(count: int) -> list[str]:
    return [COLOURS[k % len(COLOURS)] for k in range(count)]


def _layout(rows: int) -> dict[str, object]:
    return {
        "height": _HEAD_PX + _ROW_PX * max(2, rows),
        "margin": {"t": 10, "b": 10, "l": 10, "r": 10},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom"},
    }
