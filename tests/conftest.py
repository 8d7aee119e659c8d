"""Tiny networks and pictures that every room's tests share. Nothing is read from disk."""

import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, settings
from torch import nn

from models import checkpoints
from models.build import build
from models.loaded import LoadedModel
from models.specs.block import BlockSpec, CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing
from models.zoo import catalogue
from viz.figure.panels.presets import TABLE
from viz.types import Clip

# How long drawing an example takes says how busy the machine is.
settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
# Tiny tensors: threads cost ten times what they save, and more when the machine is busy.
torch.set_num_threads(1)

CLASSES = 7
TINY = Preprocessing(size=64, resize=73)


def settle(network: nn.Module) -> None:
    """Give every norm random weights and statistics of its own input, so that nothing blows up."""
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d | nn.GroupNorm)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.2, 0.2)
    batch_norms = [m for m in norms if isinstance(m, nn.BatchNorm2d)]
    for norm in batch_norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(torch.randn(4, 3, 1, 64, 64))
    for norm in batch_norms:
        norm.momentum = 0.1
    network.eval()


@cache
def template(spec: ModelSpec) -> nn.Module:
    """Return the one network of a spec that all tests copy: filling it takes the time."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        network = build(spec)
        settle(network)
    return network


def make_tiny(block: BlockSpec | None, placement: str = "1") -> LoadedModel:
    """Return a ResNet-50 of base width 8 (res4: 128 channels) whose blocks are not the identity."""
    placement = placement if block else "none"
    spec = ModelSpec(
        base_width=8, block=block, placement=placement, num_classes=CLASSES, preprocessing=TINY
    )
    return LoadedModel("tiny", spec, deepcopy(template(spec)), tuple("abcdefg"), "0" * 64)


@pytest.fixture
def tiny_model() -> Callable[..., LoadedModel]:
    """Return the maker of tiny networks: block spec, placement -> LoadedModel."""
    return make_tiny


@pytest.fixture
def nl_model() -> LoadedModel:
    return make_tiny(NonLocalSpec())


@pytest.fixture
def cgnl_model() -> LoadedModel:
    return make_tiny(CGNLSpec(groups=8))


@pytest.fixture
def plain_model() -> LoadedModel:
    return make_tiny(None)


def draw(height: int, width: int, frames: int = 1) -> np.ndarray:
    """(T, H, W, 3) uint8: smooth colours and a bright disc, different in each corner and frame."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    pictures = []
    for t in range(frames):
        disc = (y - height / 3) ** 2 + (x - width / 2 - 3 * t) ** 2 < (min(height, width) / 5) ** 2
        picture = np.stack(
            [200 * x / width, 200 * y / height, 120 + 80 * np.sin(x / 5 + t)], axis=-1
        )
        pictures.append(np.where(disc[..., None], (250, 240, 30), picture))
    return np.stack(pictures).astype(np.uint8)


@pytest.fixture
def tiny_clip() -> Clip:
    """A picture of 67 x 53 pixels."""
    return Clip(draw(53, 67), (0.0,), "tiny.png", "1" * 64)


def assert_one_line(problem: BaseException) -> str:
    """Check that a refusal is one line that ends like a sentence, and return it."""
    text = str(problem)
    assert text
    assert text.splitlines() == [text], repr(text)
    assert text.isprintable(), repr(text)
    assert len(text) < 700, len(text)
    assert text.rstrip().endswith("."), text
    return text


@pytest.fixture
def small_pages(monkeypatch):
    """Views at a fifth of their resolution, which takes a tenth of the time."""
    row = TABLE["view"]
    monkeypatch.setitem(TABLE, "view", replace(row, layout=replace(row.layout, dpi=60)))


@cache
def bundled(name: str) -> LoadedModel:
    """Return a bundled network, the same one whenever it is asked for."""
    return checkpoints.load(catalogue.WEIGHTS / f"{name}.safetensors", model_id=name)


@pytest.fixture
def bundled_once(monkeypatch):
    """Load every bundled network once for all tests, as a server does for all of its visitors."""
    names, found = {entry.id for entry in catalogue.bundled()}, catalogue._find
    monkeypatch.setattr(
        catalogue,
        "_find",
        lambda name, *told: bundled(name) if name in names else found(name, *told),
    )


@pytest.fixture(name="one_line")
def _one_line() -> Callable[[BaseException], str]:
    """Return the check that a refusal is one line."""
    return assert_one_line


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers():
    """One worker more than processors: browsers, servers and processes of tests are waited for."""
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each worker whole files, and all of tests/browser to one: one server, one Chromium.

    xdist's own groups do not work with pytest 9.2, which no longer takes their suffix of an id.
    """
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/browser" if file.startswith("tests/browser/") else file

    return Scheduling(config, log)
