"""Weights that a process of its own downloads: watched, stopped, refused in one line."""

import sys
import time

import pytest
import torch

from errors import MachineError
from models.zoo.wrapped.libraries import fetch, hf_networks, registry, starting_points, weights
from scripts.starting_points import attends

pytestmark = pytest.mark.slow


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return the folder of torch's hub, empty."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "old.pth").write_bytes(b"x" * 999)
    return tmp_path / "checkpoints"


def running(monkeypatch, script):
    monkeypatch.setattr(fetch, "_command", lambda _name: [sys.executable, "-c", script])


def test_what_has_come_is_told_and_what_was_there_is_not(cache, monkeypatch):
    time.sleep(0.02)
    running(
        monkeypatch,
        f"""
import time
with open({str(cache / "new.part")!r}, "wb") as file:
    for _ in range(4):
        file.write(b"x" * 1000)
        file.flush()
        time.sleep(0.2)
""",
    )
    told = []
    fetch.fetch("timm:x", told.append)
    assert told == sorted(told)
    assert 1000 <= max(told) <= 4000


def test_what_is_raised_while_it_is_told_ends_the_process(cache, monkeypatch):
    mark = cache / "alive"
    running(
        monkeypatch,
        f"""
import pathlib, time
for k in range(100):
    pathlib.Path({str(mark)!r}).write_text(str(k))
    time.sleep(0.05)
""",
    )

    def stop(_so_far):
        if mark.exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch.fetch("timm:x", stop)
    last = mark.read_text()
    time.sleep(0.2)
    assert mark.read_text() == last


@pytest.mark.parametrize(
    ("script", "line"),
    [
        ("import sys; sys.exit('The weights of x could not be had.')", "x could not be had"),
        ("raise SystemExit(3)", "The download of timm:x ended early"),
    ],
)
def test_a_download_that_fails_is_one_line(cache, monkeypatch, script, line, one_line):
    del cache
    running(monkeypatch, script)
    with pytest.raises(MachineError, match=line) as caught:
        fetch.fetch("timm:x", lambda _so_far: None)
    one_line(caught.value)


def test_the_hub_is_searched_only_where_it_is_reached(monkeypatch, one_line):
    monkeypatch.setattr(hf_networks, "reaches", lambda _host: False)
    with pytest.raises(MachineError, match="is not reached from here.*hf:ORG/NAME") as caught:
        registry.search_hub("dinov2")
    one_line(caught.value)


def test_the_hubs_own_search_is_asked_for_networks_of_pictures_and_clips(monkeypatch):
    import huggingface_hub

    class One:
        def __init__(self, id, downloads):
            self.id, self.downloads = id, downloads

    asked = []

    class Api:
        def list_models(self, **how):
            asked.append(how["filter"])
            return [One("a/b", 3), One(f"c/{how['filter']}", 9)][: how["limit"]]

    monkeypatch.setattr(hf_networks, "reaches", lambda _host: True)
    monkeypatch.setattr(huggingface_hub, "HfApi", Api)
    found = registry.search_hub("x", 3)
    assert found[-1] != "hf:a/b"
    assert len(found) == 3
    assert set(asked) == {
        "image-feature-extraction", "image-classification", "video-classification",
    }  # fmt: skip


def test_the_table_of_starting_points_is_what_the_script_prints():
    known = starting_points.attends()
    local = {name for name in registry.STARTING_POINTS if not name.startswith("hf:")}
    assert set(known) == local
    name = "timm:vit_small_patch16_224.dino"
    assert attends(name) == known[name]
    assert known[name]["layers x heads"] == "12 x 6"
    assert weights.reaches.__name__ == "reaches"
