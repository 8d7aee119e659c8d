"""Models: what can be loaded, where it comes from, and what it is made of."""

from pathlib import Path

import streamlit as st

from models import checkpoints
from models.zoo import cache, catalogue
from models.zoo.published import NONE_PUBLISHED
from ui import bound, frame, state
from ui.guard import guarded, plain
from ui.models import (
    by_name as library_networks,
)
from ui.models import (
    inspection as model_inspection,
)
from ui.models import (
    own as own_model,
)
from ui.models import (
    published as published_model,
)
from ui.models import (
    table as model_table,
)

TABLE = {"hide_index": True, "width": "stretch"}


@st.cache_resource(max_entries=8, show_spinner=False)
def inspected(path: Path, changed: int) -> checkpoints.Inspection:
    """Return what a bundled file is; ``changed`` tells one file from the next."""
    del changed
    return checkpoints.inspect(path)


def bundled() -> None:
    """Show the networks that come with the app."""
    st.caption("These come with the program and need no internet connection.")
    st.dataframe(model_table.bundled_rows(), **TABLE)
    names = [entry.id for entry in catalogue.usable(catalogue.bundled())]
    name = bound.choice("Bundled network", names, state.BUNDLED_SHOWN)
    if name is None:
        return
    with st.container(), guarded():
        path = catalogue.WEIGHTS / f"{name}.safetensors"
        found = inspected(path, path.stat().st_mtime_ns)
        model_inspection.inspection(found.spec, found.report)
        model_inspection.use_in_explore(name, found.spec, "use_bundled")


def published() -> None:
    """Show what the papers' authors and others publish."""
    st.caption(
        f"Downloaded on request, verified, and kept in {plain(str(cache.folder()))} (set "
        f"{cache.VARIABLE} for another folder). Licences are those of the code that the weights "
        "come with; the data sets have terms of their own."
    )
    st.dataframe(
        model_table.published_rows(),
        column_config=model_table.PUBLISHED_COLUMNS,
        height=300,
        **TABLE,
    )
    row = published_model.choose()
    with st.container():
        published_model.show(row)
    st.caption(plain(NONE_PUBLISHED))
    with st.expander("Published, but not supported"):
        st.dataframe(
            model_table.not_offered_rows(), column_config=model_table.NOT_OFFERED_COLUMNS, **TABLE
        )


def own() -> None:
    """Let the user bring a checkpoint."""
    st.caption(
        "Your file is read without running anything in it, loaded whole or not at all, and "
        "forgotten when this session ends."
    )
    with st.container(), guarded():
        held = own_model.given()
        if held is not None:
            own_model.show(held)


frame.require("pages/models.py")
st.markdown("#### Models")
told = st.container()
for tab, fill in zip(
    st.tabs(["Bundled", "Published", "By name", "Your own"]),
    (bundled, published, library_networks.show, own),
    strict=True,
):
    with tab:
        fill()
with told:
    bound.problems()
