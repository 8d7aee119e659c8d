"""A published detector: a street, torchvision's Mask R-CNN with an NL block, one command a line."""

import shlex
from dataclasses import replace

import pytest
import torch
import torchvision

from models.class_names import class_names
from models.zoo import cache, catalogue, published
from models.zoo.published_row import Url
from tests.viz.drawn_street import street
from viz.cli import main

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_pages")]
NAME = "tv-maskrcnn-r50-fpn"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with street.jpg, and torchvision's network with random weights in the cache."""
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    row = replace(published.find(NAME), source=Url(f"https://publisher/{NAME}.pth"))
    rows = tuple(row if one.id == NAME else one for one in published.PUBLISHED)
    monkeypatch.setattr(published, "PUBLISHED", rows)
    path = cache.file_of(row)
    path.parent.mkdir(parents=True)
    with torch.random.fork_rng():
        torch.manual_seed(11)
        network = torchvision.models.detection.maskrcnn_resnet50_fpn(
            weights=None, weights_backbone=None
        )
        network.roi_heads.box_predictor.cls_score.weight.data *= 60
    torch.save(network.state_dict(), path)
    street(320, 214).save(tmp_path / "street.jpg", quality=92)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(line: str) -> int:
    return main.main(shlex.split(line))


def test_a_street_is_looked_at_from_its_second_object(here, capsys):
    line = "maps street.jpg --model tv-maskrcnn-r50-fpn-nl --size 320 --object 2 --out out"
    assert run(line) == 0
    said = capsys.readouterr().out
    assert "object 2 " in said
    assert "by tv-maskrcnn-r50-fpn-nl" in said
    assert "res4.4: reference row" in said
    assert (here / "out" / "street-NL.png").exists()
    listed = next(e for e in catalogue.entries() if e.id == f"{NAME}-nl")
    assert [place.label for place in listed.spec.places] == ["res4.4"]
    names = {name for name in class_names("coco-91") if name != "N/A"}
    objects = [line.split(" ", 2)[2] for line in said.splitlines() if line.startswith("object ")]
    assert objects
    assert all(any(one.startswith(name) for name in names) for one in objects)

    line = "figure objects street.jpg --model tv-maskrcnn-r50-fpn-nl --size 320 --maps 0,2"
    assert run(f"{line} --out objects.svg") == 0
    text = (here / "objects.svg").read_text()
    assert "object-0-0-0" in text
    assert "mask-0-0-0" in text
    assert "object-2-0-2" in text
