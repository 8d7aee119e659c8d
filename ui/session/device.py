"""Which device this session's networks compute on, and where the page says so."""

import streamlit as st
import torch

from models import devices
from ui import state
from ui.bound import KEPT
from ui.server import settings


def chosen() -> torch.device:
    """Return the device of this session: the visitor's choice, else the server's setting."""
    wanted = settings.current().device
    if wanted == devices.AUTO and state.DEVICE.get() in devices.there():
        wanted = state.DEVICE.get()
    return devices.found(wanted)


def shown() -> None:
    """Say in the sidebar what computes; where there are several devices and the server leaves it
    open, offer them."""
    here, free = devices.there(), settings.current().device == devices.AUTO
    with st.sidebar.container():
        if free and len(here) > 1:
            st.selectbox(
                "Device", here, key=state.DEVICE.name, format_func=_words,
                help="Where networks and maps are computed.", **KEPT,
            )  # fmt: skip
        else:
            st.caption(f"Device: {_words(str(chosen()))}")


def _words(name: str) -> str:
    return devices.words(torch.device(name))
