"""The global context block against GCNet's equation 5, position by position in numpy."""

import numpy as np
import pytest
import torch

from errors import SpecError
from models.blocks.block_table import block
from models.blocks.context_block import GlobalContextBlock
from models.build import build
from models.specs.block import GlobalContextSpec
from models.specs.network import ModelSpec

BATCH, CHANNELS, FRAMES, ROWS, COLS = 2, 22, 3, 5, 7
SPEC = GlobalContextSpec(reduction=2)


def awake(module):
    """Draw all weights, so that none of them hides what stands before it."""
    torch.manual_seed(61)
    for weight in module.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return module.eval()


def numbers(weight):
    return weight.detach().double().numpy()


def by_hand(module, clip):
    """Return the weights (N,) and z of one clip (C, T, H, W), from the equation."""
    positions = clip.reshape(len(clip), -1).T
    key = numbers(module.key.weight).ravel()
    scores = [float(key @ x) + numbers(module.key.bias)[0] for x in positions]
    above = [np.exp(score) for score in scores]
    weights = np.array(above) / sum(above)
    context = sum(a * x for a, x in zip(weights, positions, strict=True))
    inner = numbers(module.reduce.weight)[..., 0, 0] @ context + numbers(module.reduce.bias)
    inner = (inner - inner.mean()) / np.sqrt(inner.var() + 1e-5)
    inner = inner * numbers(module.norm.weight).ravel() + numbers(module.norm.bias).ravel()
    expand = numbers(module.expand.weight)[..., 0, 0]
    added = expand @ np.maximum(inner, 0) + numbers(module.expand.bias)
    return weights, (positions + added).T.reshape(clip.shape)


def test_it_is_equation_5_over_all_positions_of_a_clip():
    module = awake(block(SPEC, CHANNELS, 4))
    assert isinstance(module, GlobalContextBlock)
    x = torch.randn(BATCH, CHANNELS, FRAMES, ROWS, COLS)
    with torch.no_grad():
        found, weights = module(x), module.weights(x)
    for k, clip in enumerate(numbers(x)):
        expected, z = by_hand(module, clip)
        np.testing.assert_allclose(weights[k, 0].numpy(), expected, rtol=1e-4)
        np.testing.assert_allclose(found[k].numpy(), z, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("depth", [14, 50])
def test_it_stands_before_the_shortcut_is_added_and_fresh_ones_change_no_bit(depth):
    places = ("res3.0", "res4.1", "res5.0")
    spec = ModelSpec(depth, 8, SPEC, places, num_classes=7)
    torch.manual_seed(67)
    network = build(spec)
    plain = build(ModelSpec(depth, 8, num_classes=7))
    plain.load_state_dict(network.state_dict(), strict=False)
    x = torch.randn(2, 3, 2, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), plain(x))
        unit, module = network.layer2[0], awake(network.block_at(network.places[0]))
        features = torch.randn(4, unit.conv1.in_channels, 9, 9)
        last = unit.bn2 if depth == 14 else unit.bn3
        branch = []
        last.register_forward_hook(lambda _m, _args, out: branch.append(out))
        found = unit(features, 2, module)
        clip = branch[0].unflatten(0, (2, 2)).transpose(1, 2)
        entered = module(clip).transpose(1, 2).flatten(0, 1)
        assert torch.equal(found, torch.relu(entered + unit.downsample(features)))
        assert not torch.equal(network(x), plain(x))


def test_a_reduction_that_there_is_not_is_refused():
    with pytest.raises(SpecError, match="Channel reduction"):
        GlobalContextSpec(reduction=0)
