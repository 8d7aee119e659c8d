"""The page says what computes; visitors choose where the server leaves it open."""

import pytest
import torch
from streamlit.testing.v1 import AppTest

from models import devices
from models.loaded import LoadedModel
from tests.conftest import make_tiny
from ui.server import settings
from ui.server.settings import Settings
from ui.session import device, loaders, own_networks


def _page():
    import streamlit as st

    from ui.session import device

    device.shown()
    st.text(str(device.chosen()))


@pytest.fixture
def two_devices(monkeypatch):
    """A machine with a GPU, as far as names go; the server's settings are given back."""
    monkeypatch.setattr(devices, "there", lambda: ("cuda:0", "cpu"))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "NVIDIA Example")
    before = settings.current()
    yield
    settings.use(before)


def test_one_device_is_named_without_a_choice():
    page = AppTest.from_function(_page).run()
    assert not page.exception
    assert page.sidebar.caption[0].value.startswith("Device: processor (cpu)")
    assert not page.sidebar.selectbox


@pytest.mark.usefixtures("two_devices")
def test_visitors_choose_where_the_server_leaves_it_open():
    page = AppTest.from_function(_page).run()
    assert page.sidebar.selectbox[0].options[0] == "NVIDIA Example (cuda:0)"
    assert page.text[0].value == "cuda:0"
    page.sidebar.selectbox[0].set_value("cpu").run()
    assert page.text[0].value == "cpu"


@pytest.mark.usefixtures("two_devices")
def test_a_server_may_set_the_device_for_everybody():
    settings.use(Settings(device="cpu"))
    page = AppTest.from_function(_page).run()
    assert page.text[0].value == "cpu"
    assert not page.sidebar.selectbox


def test_an_own_network_goes_to_the_chosen_device(monkeypatch):
    model, moved = make_tiny(None), []
    monkeypatch.setattr(own_networks, "get", lambda _name: model)
    monkeypatch.setattr(device, "chosen", lambda: torch.device("cuda:0"))
    monkeypatch.setattr(devices, "moved", lambda *given: moved.append(given))
    assert isinstance(loaders.network("mine"), LoadedModel)
    assert moved == [(model.network, torch.device("cuda:0"))]
