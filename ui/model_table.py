"""The catalogue as rows of a table."""

import streamlit as st
import torch

from models import catalogue
from models.build import build, parameter_count
from models.catalogue import Entry
from models.placement import places
from models.specs import CGNLSpec, ModelSpec, NonLocalSpec


@st.cache_data(show_spinner=False)
def rows() -> list[dict[str, object]]:
    """Return one row a catalogue entry; a damaged file shows its problem."""
    return [_row(entry) for entry in catalogue.entries()]


def _row(entry: Entry) -> dict[str, object]:
    shared = {"Id": entry.id, "What it is": entry.problem or entry.title, "Source": entry.source}
    if entry.problem:
        return shared
    with torch.device("meta"):
        million = parameter_count(build(entry.spec)) / 1e6
    return shared | {
        "Parameters (millions)": round(million, 1),
        "Block": describe(entry.spec),
        "Where": ", ".join(p.label for p in places(entry.spec.depth, entry.spec.placement)),
        "Classes": entry.spec.num_classes,
    }


def describe(spec: ModelSpec) -> str:
    """Return the attention block in words."""
    block = spec.block
    if isinstance(block, NonLocalSpec):
        return f"NL, {block.function.replace('_', ' ')}"
    if isinstance(block, CGNLSpec):
        return f"CGNL, {block.kernel.replace('_', ' ')}, {block.groups} groups"
    return "none"
