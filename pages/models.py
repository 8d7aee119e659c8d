"""Models: what can be loaded, where it comes from, and what it is made of."""

import streamlit as st

from ui.model_table import rows

st.markdown("#### Models")
st.dataframe(rows(), hide_index=True, width="stretch")
st.caption(
    "Bundled networks are in this folder and need no connection. The others are torchvision's "
    "ImageNet weights, downloaded on first use; their Gaussian non-local block compares features "
    "as they are and has nothing trained."
)
