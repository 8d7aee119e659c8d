"""The page of all benchmarks, and the floors of blocks on tiny ones."""

import importlib.util
import re
import signal
import sys
import time
import types

import pytest
import torch

from benchmarks import page, timing
from benchmarks.compute import blocks, datasets, peers
from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny
from tests.paths import ROOT


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
    assert "`python -m benchmarks costs blocks`" in text
    assert "`python -m benchmarks`" in page.written({suite: [] for suite in page.SUITES})


def test_the_readme_quotes_what_has_a_goal():
    readme = (ROOT / "README.md").read_text()
    lines = ["a (goal >= 0.90): 0.95", "nothing", "b 1.00 ms (at most 2) ok"]
    text = page.quoted(readme, {"costs": ["none"], "blocks": lines})
    assert "\n  a (goal >= 0.90): 0.95\n  b 1.00 ms (at most 2) ok\n```\n<!-- end -->" in text
    assert page.machine() in text
    assert "nothing\n" not in text
    assert page.quoted(text, {}) != text
    assert page.quoted(text, {}).count("<!-- end -->") == 1


def test_a_block_takes_longer_than_its_floor(monkeypatch):
    monkeypatch.setattr(blocks, "ROUNDS", 1)
    monkeypatch.setattr(blocks, "CHANNELS", 64)
    lines = list(blocks.floors("cpu", torch.float32, (1, 7, 5)))
    assert [line.split(",")[0].strip() for line in lines] == ["cpu", "NL", "CGNL"]
    ratios = [float(re.search(r"([\d.]+) times", line)[1]) for line in lines[1:]]
    assert min(ratios) > 1


def test_a_suite_that_fails_is_named_and_the_others_follow(monkeypatch):
    broken = types.ModuleType("broken")
    broken.report = lambda: iter(["one line", *(1 / 0 for _ in "x")])
    monkeypatch.setitem(sys.modules, "broken", broken)
    costs = types.ModuleType("costs")
    costs.report = lambda: ["another line"]
    monkeypatch.setitem(sys.modules, "costs", costs)
    monkeypatch.setitem(page.SUITES, "costs", ("broken", "costs", "not.there"))
    lines = list(page.lines_of("costs"))
    assert lines[0].startswith("FAILED: broken: ZeroDivisionError")
    assert lines[1] == "another line"
    assert lines[2].startswith("FAILED: not.there: ModuleNotFoundError")
    text = page.written({"costs": lines})
    assert text.index("* FAILED: broken") < text.index("## Parameters")


def test_a_suite_that_hangs_is_given_up_and_named(monkeypatch):
    monkeypatch.setattr(page, "LONGEST_S", 0.05)
    hanging = types.ModuleType("hanging")
    hanging.report = lambda: iter(["one line", *(time.sleep(60) for _ in "x")])
    monkeypatch.setitem(sys.modules, "hanging", hanging)
    monkeypatch.setitem(page.SUITES, "costs", ("hanging",))
    before = signal.getsignal(signal.SIGALRM)
    assert list(page.lines_of("costs")) == ["FAILED: hanging: TimeoutError: not done after 0.05 s"]
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_ratios_are_medians_over_rounds_with_their_quartiles():
    times = {"one": [1.0, 2.0, 3.0, 8.0, 5.0], "other": [1.0, 1.0, 1.0, 2.0, 1.0]}
    assert timing.ratio(times, "one", "other") == "3.00 (1.50 to 4.50)"
    assert timing.milliseconds(times, "other") == "1000.0 ms"
    seen = []
    runs = {name: lambda name=name: seen.append(name) for name in "ab"}
    assert [len(taken) for taken in timing.in_turns(runs, 2).values()] == [2, 2]
    assert seen == ["a", "b"] * 3


def test_peers_compute_the_same_maps(monkeypatch):
    for package in ("captum", "torchcam", "pytorch_grad_cam"):
        pytest.importorskip(package)
    monkeypatch.setattr(peers, "ROUNDS", 2)
    monkeypatch.setattr(peers, "SIDE", 64)
    monkeypatch.setattr(peers, "GRIDS", ((1, 5, 7),))
    monkeypatch.setattr(peers, "CHANNELS", 64)
    lines = list(peers.report())
    alike = [float(re.search(r"map ([\d.]+)", line)[1]) for line in lines if "correlation" in line]
    assert len(alike) == 3
    assert min(alike) > 0.9
    assert sum("ours /" in line for line in lines) == 2 * 3 + 1


@pytest.mark.slow
def test_rates_and_memory_of_a_small_data_set(tmp_path, monkeypatch):
    for name, value in (("ROUNDS", 1), ("SIDE", 64), ("PARTS", 2), ("MANY", 40)):
        monkeypatch.setattr(datasets, name, value)
    lines = list(datasets.rates(datasets.drawn(tmp_path, 2), make_tiny(NonLocalSpec())))
    assert "evaluate the map: rate over" in lines[1]
    assert "export maps" in lines[3]
    assert "one export of 40 pictures of 64 px" in datasets.memory()
