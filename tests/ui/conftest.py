"""What every page's tests share: a session that ends, a checkpoint, what pages offer and run."""

from functools import cache

import pytest
import streamlit as st
import torch
from streamlit.components.v2 import manifest_scanner
from streamlit.runtime.caching import clear_session_data_cache, clear_session_resource_cache
from streamlit.runtime.scriptrunner.script_cache import ScriptCache

from models.backbones.efficientnet_lite import EfficientNetLite
from models.backbones.resnet import AttentionResNet
from models.specs.block import CGNLSpec
from models.zoo import cache as downloads
from tests.conftest import make_tiny
from tests.models.zoo.test_catalogue import cgnl_state
from ui.session import loaders

SESSION = "test session id"
"""What AppTest calls every session."""


@pytest.fixture(autouse=True, scope="session")
def pages_compiled_once():
    """Keep what pages are compiled to: every AppTest would compile them anew, for a sixth of its
    time."""
    shared, compiled = ScriptCache(), ScriptCache.get_bytecode
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ScriptCache, "get_bytecode", lambda _own, path: compiled(shared, path))
        yield


@pytest.fixture(autouse=True, scope="session")
def packages_looked_through_once():
    """Keep which installed packages bring components: every AppTest would read the metadata of all
    of them, for half of its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner,
            "scan_component_manifests",
            cache(manifest_scanner.scan_component_manifests),
        )
        yield


@pytest.fixture(autouse=True)
def ended_session():
    """End the session with the test. What all sessions share stays: loading networks takes time."""
    yield
    clear_session_resource_cache(SESSION)
    clear_session_data_cache(SESSION)
    loaders.forget_entries()


@pytest.fixture
def nothing_shared():
    """Leave nothing of other tests in the caches, and nothing of this one's behind."""
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def empty_folder_of_downloads(tmp_path, monkeypatch):
    """Show no page what this machine has downloaded before."""
    monkeypatch.setenv(downloads.VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def cgnl_checkpoint(tmp_path):
    """The bytes of a checkpoint that does not tell cgnl from cgnlx."""
    path = tmp_path / "theirs.pth"
    torch.save({"state_dict": cgnl_state(make_tiny(CGNLSpec(groups=8)))}, path)
    return path.read_bytes()


@pytest.fixture
def forwards(monkeypatch):
    """A list that grows by one with every forward pass of a whole network."""
    counted = []
    loaders.of_examples.clear()
    for trunk in (AttentionResNet, EfficientNetLite):

        def forward(self, x, whole=trunk.forward):
            counted.append(x.shape)
            return whole(self, x)

        monkeypatch.setattr(trunk, "forward", forward)
    return counted


@pytest.fixture
def offered(monkeypatch):
    """What the download buttons of the last run save: kind of file -> what makes its bytes."""
    files = {}
    real = st.download_button

    def download_button(label, data, file_name, *args, **kwargs):
        files[file_name.rpartition(".")[2]] = data if callable(data) else lambda: data
        return real(label, data, file_name, *args, **kwargs)

    monkeypatch.setattr(st, "download_button", download_button)
    return files
