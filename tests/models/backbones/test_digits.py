"""The digit network: a clip is the mean of its frames; its authors' files load."""

import pytest
import torch
from torch import nn

from errors import CheckpointError
from models.build import build
from models.checkpoints import load
from models.specs.block import NonLocalSpec
from models.specs.network import DigitSpec
from tests.models.written.clips import randomise

BLOCK = NonLocalSpec("embedded_gaussian", False, "after", bias=True, expand_bias=True)
PARTS = {"projection.theta": "theta", "projection.phi": "phi", "projection.g": "g"}


def digits(function="embedded_gaussian", pooling="after", norm="batch"):
    block = NonLocalSpec(function, False, pooling, 2, True, True, norm)
    return randomise(build(DigitSpec(block, base_width=8)))


def as_its_authors_name_them(network):
    """Return module.conv_1.0.weight and so on; phi and g in a Sequential where keys are pooled."""
    pooled = network.spec.block.pool_keys == "after"
    normed = network.spec.block.norm == "batch"
    theirs = {}
    for key, value in network.state_dict().items():
        home, _, rest = key.partition(".")
        if home == "convolutions":
            number, _, rest = rest.partition(".")
            key = f"conv_{int(number) + 1}.{rest}"
        elif home == "blocks":
            block, _, rest = rest.partition(".")
            part, _, what = rest.rpartition(".")
            if part == "projection.key_weight":
                continue
            if part == "projection.query_weight":
                other = network.state_dict()[key.replace("query_weight", "key_weight")]
                part, value = "concat_project.0", torch.cat([value, other], 1)
            elif part in PARTS:
                sequential = pooled and part != "projection.theta"
                part = PARTS[part] + (".0" if sequential else "")
            else:
                part = {"expand": "W.0" if normed else "W", "norm": "W.1"}[part]
            key = f"{block}.{part}.{what}"
        theirs[f"module.{key}"] = value
    return theirs


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("pooling", ["none", "after"])
@pytest.mark.parametrize(
    "function", ["embedded_gaussian", "gaussian", "dot_product", "concatenation"]
)
def test_every_form_of_its_authors_block_loads(tmp_path, function, pooling, norm):
    network = digits(function, pooling, norm)
    path = tmp_path / "net.pth"
    torch.save(as_its_authors_name_them(network), path, _use_new_zipfile_serialization=False)
    answers = {"function": "dot_product"} if function == "dot_product" else {}
    model = load(path, answers)
    assert model.spec == network.spec
    x = torch.rand(3, 1, 1, 28, 28)
    with torch.no_grad():
        assert torch.equal(model.network(x), network(x))
    assert len(model.class_names) == 10


def test_logits_of_a_clip_are_the_mean_over_frames_of_what_both_blocks_saw_together():
    network = digits()
    x = torch.rand(2, 1, 3, 28, 28)
    with torch.no_grad():
        x[:, :, 1:] = x[:, :, :1]
        still = network(x)
        torch.testing.assert_close(still, network(x[:, :, :1]))
        order = torch.rand(2, 1, 3, 28, 28)
        torch.testing.assert_close(network(order), network(order.flip(2)))


@pytest.mark.parametrize("frames", [1, 3])
def test_going_on_from_a_block_is_the_whole_forward(frames):
    network = digits()
    x = torch.rand(2, 1, frames, 28, 28)
    assert [place.label for place in network.places] == ["nl_1", "nl_2"]
    for place in network.places:
        left = []
        handle = network.block_at(place).register_forward_hook(
            lambda _m, _args, out, left=left: left.append(out)
        )
        with torch.no_grad():
            logits = network(x)
            handle.remove()
            assert torch.equal(network.resume(place, left[0]), logits)


def test_its_layers_are_those_of_the_demonstration():
    shapes = {k: tuple(v.shape) for k, v in build(DigitSpec(BLOCK)).state_dict().items()}
    assert shapes["convolutions.2.0.weight"] == (128, 64, 3, 3)
    assert shapes["fc.0.weight"] == (256, 1152)
    assert shapes["fc.3.weight"] == (10, 256)
    assert shapes["blocks.nl_1.projection.theta.weight"] == (16, 32, 1, 1)
    assert shapes["blocks.nl_2.expand.weight"] == (64, 32, 1, 1)
    assert isinstance(build(DigitSpec(BLOCK)).fc[2], nn.Dropout)


def test_a_file_that_lacks_a_block_is_refused(tmp_path, one_line):
    state = as_its_authors_name_them(digits())
    path = tmp_path / "net.pth"
    torch.save({k: v for k, v in state.items() if ".nl_2." not in k}, path)
    with pytest.raises(CheckpointError, match="keys missing") as caught:
        load(path)
    one_line(caught.value)
