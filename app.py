"""The app's frame: page set-up and navigation."""

import streamlit as st

from ui import frame
from ui.components.keeper import keeper
from ui.session import device

st.set_page_config(page_title="Nonlocal viz", page_icon="🐦", layout="wide")
if not frame.admitted():
    st.stop()
page = st.navigation(
    [
        st.Page("pages/explore.py", title="Explore", icon=":material/visibility:", default=True),
        st.Page("pages/figure.py", title="Figure", icon=":material/grid_view:"),
        st.Page("pages/gates.py", title="Gates", icon=":material/tune:"),
        st.Page("pages/evaluate.py", title="Evaluate", icon=":material/query_stats:"),
        st.Page("pages/cost.py", title="Cost", icon=":material/calculate:"),
        st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
    ]
)
if wanted := frame.entered():
    st.switch_page(wanted)
keeper.keep()
page.run()
device.shown()
