"""Costs as rows of tables: a network with its blocks, the papers' tables, growth with N."""

import math

import plotly.graph_objects as go
import streamlit as st

from models.specs.network import NetworkSpec
from viz.evaluation.costs import counting, growth, orders
from viz.evaluation.costs.counting import Compared
from viz.evaluation.costs.papers import short
from viz.evaluation.report.plots import COLOURS

_HEIGHT = 420
WHY = "Why they differ"


@st.cache_data(show_spinner="Counting the papers' networks")
def papers() -> dict[str, list[dict[str, str]]]:
    """Return the rows of every table of the papers, by its title."""
    rows: dict[str, list[dict[str, str]]] = {}
    for one in counting.every():
        rows.setdefault(one.table, []).append(_row(one))
    return rows


def _row(one: Compared) -> dict[str, str]:
    cells = zip(
        ("Parameters", "Multiply-adds"), one.paper, one.ours, one.differences, strict=True
    )  # fmt: skip
    row = {"Module": one.name}
    for what, paper, ours, difference in cells:
        row[f"{what}, paper"] = _number(paper, one.is_ratio)
        row[f"{what}, ours"] = _number(ours, one.is_ratio)
        row[f"{what}, difference"] = counting.relative(difference)
    return row | {WHY: one.note}


def _number(value: float, is_ratio: bool) -> str:
    return f"{value:.2f}x" if is_ratio else short(value)


@st.cache_data(show_spinner="Counting how products grow")
def order_rows() -> list[dict[str, str]]:
    """Return the orders of CGNL Table 1 and CGD Table 1 beside the measured powers."""
    return [
        {
            "Table": one.order.table,
            "Method": one.order.method,
            "Of": {"product": "the correlation of positions", "embedding": "1 x 1 convolutions"}[
                one.order.what
            ],
            "Paper": f"O({one.order.paper})",
            "Measured": orders.words(one.powers),
        }
        for one in orders.measured()
    ]


def network_rows(spec: NetworkSpec, frames: int, size: int) -> list[dict[str, str]]:
    """Return what a network costs, then each of its attention blocks with its share."""
    whole = counting.network_cost(spec, frames, size)
    rows = [_cost_row("the whole network", whole, whole)]
    blocks = counting.block_costs(spec, frames, size)
    return rows + [_cost_row(f"block {label}", part, whole) for label, part in blocks.items()]


def _cost_row(name: str, part: counting.Cost, whole: counting.Cost) -> dict[str, str]:
    shares = zip(part, whole, strict=True)
    of_parameters, of_products = (f"{100 * a / b:.1f} %" for a, b in shares)
    return {
        "What": name,
        "Parameters": short(part.parameters),
        "of all": of_parameters,
        "Multiply-adds": short(part.multiply_adds),
        "of all ": of_products,
    }


@st.cache_data(show_spinner="Counting blocks at the sizes of videos")
def _growth() -> dict[str, list[float]]:
    return growth.counted()


def growth_chart() -> go.Figure:
    """Return multiply-adds of each block against positions N, from a picture's to a video's."""
    positions = [math.prod(grid) for grid in growth.SIZES]
    order = sorted(range(len(positions)), key=positions.__getitem__)
    figure = go.Figure(layout={"height": _HEIGHT, "margin": {"t": 20, "b": 0}})
    for colour, (name, values) in zip(COLOURS, _growth().items(), strict=False):
        figure.add_scatter(
            x=[positions[k] for k in order],
            y=[values[k] for k in order],
            text=[" x ".join(map(str, growth.SIZES[k])) for k in order],
            hovertemplate="T x H x W = %{text}: %{y:.3s} multiply-adds",
            name=name,
            mode="lines+markers",
            line={"color": colour},
        )
    figure.update_xaxes(title=f"positions N, C = {growth.CHANNELS}", type="log")
    figure.update_yaxes(title="multiply-adds", type="log", exponentformat="SI")
    return figure


def growth_words() -> str:
    """Return with which power of N each block grows at the largest sizes."""
    powers = [f"{name} N^{growth.exponent(values):.2f}" for name, values in _growth().items()]
    return ", ".join(powers)


def growth_steps() -> str:
    """Return why one of the curves has steps."""
    return growth.steps(_growth())
