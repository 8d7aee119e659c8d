"""The app: the server that ``streamlit run app.py`` starts, and the frame of every page."""

from pathlib import Path

import streamlit as st


def main() -> None:
    """Draw the frame of the page that was asked for, and the page."""
    from ui import frame
    from ui.components.keeper import keeper
    from ui.session import device

    st.set_page_config(page_title="Nonlocal viz", page_icon="🐦", layout="wide")
    if not frame.admitted():
        st.stop()
    page = st.navigation(
        [
            st.Page(
                "pages/explore.py", title="Explore", icon=":material/visibility:", default=True
            ),
            st.Page("pages/figure.py", title="Figure", icon=":material/grid_view:"),
            st.Page("pages/gates.py", title="Gates", icon=":material/tune:"),
            st.Page("pages/evaluate.py", title="Evaluate", icon=":material/query_stats:"),
            st.Page(
                "pages/strongest.py", title="Strongest patches", icon=":material/image_search:"
            ),
            st.Page("pages/cost.py", title="Cost", icon=":material/calculate:"),
            st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
        ]
    )
    if wanted := frame.entered():
        frame.go_to(wanted)
    frame.style()
    keeper.keep()
    page.run()
    device.shown()


if __name__ == "__main__":
    main()
else:
    # Streamlit finds a server in this file, imports it, and then runs the file for each session.
    from ui.server import web

    app = st.App(Path(__file__), lifespan=web.living, middleware=web.ALWAYS)
