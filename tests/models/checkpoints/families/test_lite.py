"""Published EfficientNet-Lite weights open as a checkpoint family."""

import pytest
import torch

from errors import CheckpointError
from models.build import build
from models.checkpoints import load, trunks
from models.specs.network import LiteSpec
from tests.models.checkpoints.test_trunks import theirs


@pytest.mark.parametrize("name", ["lite0", "lite2"])
def test_a_file_with_published_names_is_its_network(name, tmp_path):
    torch.manual_seed(4)
    network = build(LiteSpec(name, num_classes=7))
    path = tmp_path / "efficientnet.pth"
    torch.save({theirs(k): v for k, v in network.state_dict().items()}, path)
    model = load(path)
    assert model.spec == network.spec
    assert model.report.family.startswith("EfficientNet-Lite")
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(model.network(x), network(x))


def test_the_published_file_opens_and_names_its_classes():
    model = load(trunks.trunk_path(trunks.LITE2))
    assert (model.spec.size_name, model.spec.num_classes) == ("lite2", 1000)
    assert model.class_name(7) == "cock"


def test_widths_of_no_member_are_refused(tmp_path, one_line):
    state = build(LiteSpec("lite0", num_classes=7)).state_dict()
    kept = {k: v for k, v in state.items() if not k.startswith("units.15.")}
    path = tmp_path / "efficientnet.pth"
    torch.save({theirs(k): v for k, v in kept.items()}, path)
    with pytest.raises(CheckpointError, match="lite0, lite1, lite2") as caught:
        load(path)
    one_line(caught.value)


def test_squeeze_and_excitation_is_named(tmp_path, one_line):
    path = tmp_path / "b0.pth"
    torch.save({"_blocks.0._se_reduce.weight": torch.zeros(2)}, path)
    with pytest.raises(CheckpointError, match="squeeze-and-excitation") as caught:
        load(path)
    one_line(caught.value)
