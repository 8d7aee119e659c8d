"""The page of all benchmarks, and the floors of blocks on tiny ones."""

import importlib.util
import re

import pytest
import torch

from benchmarks import blocks, datasets, page
from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny


def test_every_suite_is_there_and_has_a_title():
    assert page.SUITES.keys() == page._TITLES.keys()
    for modules in page.SUITES.values():
        for module in modules:
            assert importlib.util.find_spec(module) is not None, module


def test_the_page_names_the_machine_and_holds_every_line():
    text = page.written({"costs": ["one  ", "two"], "blocks": ["three"]})
    assert page.machine() in text
    assert "torch" in page.machine()
    assert re.search("```\none\ntwo\n```", text)
    assert text.index("Parameters") < text.index("floors")


def test_a_block_takes_longer_than_its_floor(monkeypatch):
    monkeypatch.setattr(blocks, "ROUNDS", 1)
    monkeypatch.setattr(blocks, "CHANNELS", 64)
    lines = list(blocks.floors("cpu", torch.float32, (1, 7, 5)))
    assert [line.split(",")[0].strip() for line in lines] == ["cpu", "NL", "CGNL"]
    ratios = [float(re.search(r"([\d.]+) times", line)[1]) for line in lines[1:]]
    assert min(ratios) > 0.5


@pytest.mark.slow
def test_rates_of_a_small_data_set(tmp_path, monkeypatch):
    for name, value in (("ROUNDS", 1), ("SIDE", 64), ("PARTS", 2), ("PICTURES", 2)):
        monkeypatch.setattr(datasets, name, value)
    line = datasets.rates(datasets.drawn(tmp_path, 2), make_tiny(NonLocalSpec()))
    assert "evaluate the map" in line
    assert "export maps" in line
