"""The summary as a PDF: a panel a measure, a bar with its interval for each network and map."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from viz.evaluation.measures import MEASURES
from viz.evaluation.report.summary import Line
from viz.figure.files import export

_WIDTH_IN, _BAR_IN, _HEAD_IN = 6.5, 0.17, 0.75
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
"""Okabe and Ito's, which colour-blind readers can tell apart; one a network."""


def write(lines: Sequence[Line], path: Path) -> None:
    """Write the plot of a summary as PDF, the same bytes for the same numbers."""
    export.save(export.write(drawn(lines), "pdf", 300, None), path)


def drawn(lines: Sequence[Line]) -> Figure:
    """Return the figure: measures below each other, their bars named by network and map."""
    by_measure: dict[str, list[Line]] = {}
    for line in lines:
        by_measure.setdefault(line.measure, []).append(line)
    networks = list(dict.fromkeys(line.network for line in lines))
    heights = [_HEAD_IN + _BAR_IN * len(found) for found in by_measure.values()]
    figure = Figure((_WIDTH_IN, sum(heights)))
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    for panel, (measure, found) in zip(panels, by_measure.items(), strict=True):
        _panel(panel, measure, found, networks)
    figure.tight_layout()
    return figure


def _panel(panel: Axes, measure: str, lines: Sequence[Line], networks: list[str]) -> None:
    rows = range(len(lines))
    means = [line.mean for line in lines]
    colours = [COLOURS[networks.index(line.network) % len(COLOURS)] for line in lines]
    # An interval of a biased statistic (NMI of few pictures) need not hold its value.
    spread = [[max(0, m.value - m.low) for m in means], [max(0, m.high - m.value) for m in means]]
    panel.barh(rows, [m.value for m in means], color=colours, height=0.7)
    panel.errorbar([m.value for m in means], rows, xerr=spread, fmt="none", ecolor="black", lw=0.8)
    panel.set_yticks(rows, [f"{line.network}, {line.map}" for line in lines], fontsize=7)
    panel.tick_params(axis="x", labelsize=7)
    panel.invert_yaxis()
    better = {1: " (higher is better)", -1: " (lower is better)", 0: ""}
    way = better[MEASURES[measure].better] if measure in MEASURES else ""
    panel.set_title(f"{measure}{way}", fontsize=8, loc="left")
    panel.spines[["top", "right"]].set_visible(False)
