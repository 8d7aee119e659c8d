"""Pictures on pages, as they were made: Streamlit makes JPEGs of what it is not told to leave."""

import base64

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from viz.rendering.screen_png import screen_png

Width = int | str


def show(
    picture: bytes | np.ndarray,
    alt: str,
    caption: str | None = None,
    width: Width = "content",
    place: DeltaGenerator | None = None,
) -> None:
    """Draw a PNG, or (H, W, 3) uint8 pixels, without loss; ``alt`` is what is read aloud.

    Streamlit scales down what is wider than its pages.
    """
    png = screen_png(picture) if isinstance(picture, np.ndarray) else picture
    (place or st).image(png, caption=caption, width=width, output_format="PNG", alt=alt)


def show_movie(movie: bytes, kind: str, alt: str) -> None:
    """Play a movie: ``kind`` is mp4, gif or webp, of which Streamlit would show the first frame."""
    if kind == "mp4":
        st.video(movie, loop=True)
    elif kind == "gif":
        st.image(movie, alt=alt)
    else:
        st.image(f"data:image/{kind};base64,{base64.b64encode(movie).decode('ascii')}", alt=alt)
