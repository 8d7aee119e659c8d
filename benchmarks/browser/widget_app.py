"""The NL map of a click, as an app of a few lines makes it: ``?widget=image`` with
streamlit-image-coordinates, ``?widget=plotly`` with a grid of invisible points."""

import numpy as np
import plotly.graph_objects as go
import streamlit as st
from PIL import Image

import viz
from viz.attention import queries
from viz.attention.captures import Capture
from viz.examples import bird

SIDE, STEP = 448, 16


@st.cache_resource
def captured() -> tuple[Capture, Image.Image]:
    """Capture the example once: 28 x 28 positions."""
    clip = bird.clip()
    found = viz.capture(viz.load("e2-nl"), clip, mode="center-crop", size=SIDE)
    return found, Image.fromarray(clip.frames[0])


def overlaid(capture: Capture, picture: Image.Image, at: tuple[float, float]) -> Image.Image:
    """Return the picture with the heat of the row at a pixel over it."""
    row = queries.row(capture, at).values[0]
    scaled = np.uint8(255 * (row - row.min()) / max(np.ptp(row), 1e-9))
    heat = Image.fromarray(scaled).resize(picture.size, Image.Resampling.BILINEAR)
    red = Image.new("RGB", picture.size, (255, 40, 0))
    return Image.composite(Image.blend(picture, red, 0.6), picture, heat)


def by_image() -> tuple[float, float]:
    """Draw the last click's map in the widget itself; return the click."""
    from streamlit_image_coordinates import streamlit_image_coordinates

    capture, picture = captured()
    at = st.session_state.get("at", (320, 240))
    clicked = streamlit_image_coordinates(overlaid(capture, picture, at), key="clicks")
    if clicked and (found := (clicked["x"], clicked["y"])) != at:
        st.session_state["at"] = found
        st.rerun()
    return at


def by_plotly() -> tuple[float, float]:
    """Draw the last click's map under a grid of points that can be clicked; return the click."""
    capture, picture = captured()
    wide, high = picture.size
    at = st.session_state.get("at", (320, 240))
    xs, ys = np.meshgrid(np.arange(STEP / 2, wide, STEP), np.arange(STEP / 2, high, STEP))
    chart = go.Figure(go.Scatter(x=xs.ravel(), y=ys.ravel(), mode="markers", opacity=0))
    size = {"xref": "x", "yref": "y", "x": 0, "y": 0, "sizex": wide, "sizey": high}
    chart.add_layout_image(source=overlaid(capture, picture, at), layer="below", **size)
    axes = {"visible": False}
    chart.update_xaxes(range=(0, wide), **axes)
    chart.update_yaxes(range=(high, 0), scaleanchor="x", **axes)
    chart.update_layout(width=wide, height=high, margin=dict.fromkeys("lrtb", 0))
    event = st.plotly_chart(chart, key="clicks", on_select="rerun", selection_mode="points")
    points = event.selection.points if event else []
    if points and (found := (points[0]["x"], points[0]["y"])) != at:
        st.session_state["at"] = found
        st.rerun()
    return at


shown = {"image": by_image, "plotly": by_plotly}[st.query_params.get("widget", "image")]()
st.text(f"map of {shown[0]:.0f}, {shown[1]:.0f}")
