"""The linear probe on a teacher that sees nothing but the mean colour of a crop."""

import sys
from types import SimpleNamespace

import pytest
import torch

from scripts.training import linear_probe
from scripts.training.bird_data import Birds
from scripts.training.linear_probe import Probe

COLOURS = {"red": (250, 30, 30), "green": (30, 250, 30), "blue": (30, 30, 250)}
BY_BRIGHTEST = Probe(torch.eye(3), torch.zeros(3))


class MeanColour:
    """A stand-in for the teacher: pooled (B, 3) is the mean of each channel."""

    def __init__(self, path=None):
        self.path, self.shapes = path, []

    def __call__(self, crops):
        self.shapes.append(tuple(crops.shape))
        return SimpleNamespace(pooled=crops.mean((2, 3)))


def birds_of(colours, labels, side=17):
    """One flat picture a colour, under these labels."""
    paints = torch.tensor([COLOURS[colour] for colour in colours], dtype=torch.uint8)
    images = paints[:, :, None, None].expand(-1, -1, side, side).contiguous()
    return Birds(images, torch.tensor(labels), list(range(len(labels))), list(COLOURS))


@pytest.fixture
def unseen():
    """Five birds; the last two are not what their colour says."""
    return birds_of(["red", "green", "blue", "red", "blue"], [0, 1, 2, 1, 0])


@pytest.mark.parametrize("batch", [2, 5, 120])
def test_top_1_is_the_share_that_is_named_whatever_the_batches(unseen, monkeypatch, batch):
    monkeypatch.setattr(linear_probe, "BATCH", batch)
    teacher = MeanColour()
    assert linear_probe.top_1(BY_BRIGHTEST, teacher, unseen, 13) == pytest.approx(3 / 5)
    assert sum(shape[0] for shape in teacher.shapes) == 5
    assert {shape[1:] for shape in teacher.shapes} == {(3, 13, 13)}


def test_the_command_fits_keeps_and_prints_the_share_of_test_crops(
    unseen, monkeypatch, tmp_path, capsys
):
    seen = birds_of(list(COLOURS) * 4, [0, 1, 2] * 4)
    asked, teachers = [], []

    def load_birds(crops, annotations, side, train):
        asked.append((crops.name, annotations.name, train))
        return seen if train else unseen

    def teacher(path):
        teachers.append(path)
        return MeanColour(path)

    monkeypatch.setattr(linear_probe, "load_birds", load_birds)
    monkeypatch.setattr(linear_probe, "Teacher", teacher)
    folders = [f"--{name}={tmp_path / name}" for name in ("birds", "annotations", "teachers")]
    kept = tmp_path / "probe.pt"
    monkeypatch.setattr(sys, "argv", ["probe", str(kept), *folders, "--side=13"])
    torch.manual_seed(3)
    linear_probe.main()
    assert capsys.readouterr().out == "top-1 at 13 px 60.0 %\n"
    assert asked == [("birds", "annotations", True), ("birds", "annotations", False)]
    assert teachers == [tmp_path / "teachers" / "mnv2_inatbird.npz"]
    assert kept.exists()

    monkeypatch.setattr(linear_probe, "fit", None)  # a kept probe is not fitted again
    linear_probe.main()
    assert capsys.readouterr().out == "top-1 at 13 px 60.0 %\n"
