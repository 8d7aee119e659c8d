"""The catalogue as rows of tables."""

from collections.abc import Sequence

import streamlit as st

from models.describe import block_words, described
from models.zoo import cache, catalogue
from models.zoo.catalogue import Entry
from models.zoo.published import NOT_OFFERED, PUBLISHED
from models.zoo.published_row import Published

PUBLISHED_COLUMNS = {
    "Link": st.column_config.LinkColumn(display_text="publisher"),
    "MB": st.column_config.NumberColumn(format="%.1f"),
}
NOT_OFFERED_COLUMNS = {"Link": st.column_config.LinkColumn(display_text="publisher")}


@st.cache_data(show_spinner=False)
def bundled_rows() -> list[dict[str, object]]:
    """Return one row a bundled file; a damaged one shows its problem."""
    return [_bundled(entry) for entry in catalogue.bundled()]


def _bundled(entry: Entry) -> dict[str, object]:
    shared = {"Id": entry.id, "What it is": entry.problem or entry.title}
    if entry.spec is None:
        return shared
    known = described(entry.spec)
    return shared | {
        "Parameters (millions)": round(known.parameters / 1e6, 1),
        "Block": block_words(entry.spec),
        "Where": ", ".join(known.places),
        "Classes": entry.spec.num_classes,
    }


def published_rows(rows: Sequence[Published] = PUBLISHED) -> list[dict[str, object]]:
    """Return one row a published network."""
    return [
        {
            "Id": row.id,
            "Network": row.title,
            "Data": row.dataset,
            "Top-1 / top-5 %": row.accuracy,
            "Input": row.input,
            "Here": "yes" if cache.is_cached(row) else "no",
            "MB": _megabytes(row),
            "From": row.family,
            "Paper": row.paper,
            "Link": row.source.link,
            "Code's licence": row.licence,
        }
        for row in rows
    ]


def _megabytes(row: Published) -> float | None:
    size = cache.record(row).get("bytes")
    return size / 1e6 if isinstance(size, int) else row.size_mb


def not_offered_rows() -> list[dict[str, object]]:
    """Return one row a published file that cannot be used, with the reason."""
    return [{"What": n.title, "Why not": n.reason, "Link": n.link} for n in NOT_OFFERED]
