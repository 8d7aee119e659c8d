"""What every page's tests share: fresh caches, a checkpoint, a count of forward passes."""

import pytest
import streamlit as st
import torch

from models.backbones.resnet import AttentionResNet
from models.specs.block import CGNLSpec
from models.zoo import cache
from tests.conftest import make_tiny
from tests.models.zoo.test_catalogue import cgnl_state


@pytest.fixture(autouse=True)
def fresh_caches():
    """Leave nothing in Streamlit's caches for the next test."""
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(autouse=True)
def empty_folder_of_downloads(tmp_path, monkeypatch):
    """Show no page what this machine has downloaded before."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))


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
    whole = AttentionResNet.forward

    def forward(self, x):
        counted.append(x.shape)
        return whole(self, x)

    monkeypatch.setattr(AttentionResNet, "forward", forward)
    return counted
