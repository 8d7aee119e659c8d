"""Checkpoints of the CGD authors' code: every network they have, with and without gates."""

from pathlib import Path

import pytest
import torch

from errors import CheckpointError
from models.build import build
from models.checkpoints import load
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, ModelSpec, NetworkSpec, Preprocessing

CIFAR = Preprocessing(32, 32, stride=4)
RESNETS = [
    ModelSpec(depth=depth, base_width=8, num_classes=7, gate=CGDSpec())
    for depth in (14, 34, 50, 101)
]
COMPACT = [
    CompactSpec(family, size, 7, gate, CIFAR)
    for family, size in (
        ("mobilenet", "0.7"),
        ("squeezenet", "1.0"),
        ("squeezenet", "1.1"),
        ("preresnet", "20"),
        ("preresnet", "56"),
        ("wrn", "16-1"),
    )
    for gate in (CGDSpec(), None)
]


def name_of(spec: NetworkSpec) -> str:
    if isinstance(spec, ModelSpec):
        return f"resnet{spec.depth}"
    return f"{spec.family}-{spec.size_name}-{'cgd' if spec.gate else 'plain'}"


def written(spec: NetworkSpec, folder: Path) -> tuple[Path, torch.nn.Module]:
    """Write a network as their training script does; gates that do something."""
    torch.manual_seed(3)
    network = build(spec)
    for gate in network.gated().values():
        for value in gate.parameters():
            value.data.normal_(0, 0.5)
    path = folder / "model_best.pth.tar"
    state = {f"module.{key}": value for key, value in network.state_dict().items()}
    torch.save(
        {"epoch": 90, "state_dict": state, "acc": 71.0, "best_acc": 72.0, "optimizer": {}}, path
    )
    return path, network


@pytest.mark.parametrize("spec", [*RESNETS, *COMPACT], ids=name_of)
def test_a_checkpoint_of_their_code_gives_its_network(spec: NetworkSpec, tmp_path: Path) -> None:
    path, network = written(spec, tmp_path)
    model = load(path)
    assert type(model.spec) is type(spec)
    assert (model.spec.gate is None) == (spec.gate is None)
    assert list(model.network.gated()) == list(network.gated())
    if isinstance(spec, CompactSpec):
        assert (model.spec.family, model.spec.size_name) == (spec.family, spec.size_name)
    else:
        assert (model.spec.depth, model.spec.base_width) == (spec.depth, spec.base_width)
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        assert model.network(x).equal(network(x))


def test_a_network_with_half_of_its_gates_is_refused(tmp_path: Path) -> None:
    path, _network = written(RESNETS[0], tmp_path)
    content = torch.load(path, weights_only=True)
    gates = [k for k in content["state_dict"] if k.startswith("module.layer2.0.attention.")]
    for key in gates:
        del content["state_dict"][key]
    torch.save(content, path)
    with pytest.raises(CheckpointError, match=r"missing \(layer2.0.attention"):
        load(path)


def test_a_small_network_of_odd_shapes_is_refused_in_one_line(tmp_path: Path) -> None:
    path, _network = written(CompactSpec("wrn", "16-1", 7, None, CIFAR), tmp_path)
    content = torch.load(path, weights_only=True)
    content["state_dict"]["module.conv1.weight"] = torch.zeros(13, 3, 3, 3)
    torch.save(content, path)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert "\n" not in str(caught.value)
