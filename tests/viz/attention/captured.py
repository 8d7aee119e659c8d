"""What this room's tests share: blocks drawn at random, captures around them, inputs, hooks."""

from math import exp

import numpy as np
import torch

from models.blocks.kernels import kernel
from models.blocks.layout import Grid
from models.blocks.pairwise import pairwise
from models.build import build
from models.loaded import LoadedModel
from models.specs.network import ModelSpec, Preprocessing
from models.specs.placement import Place
from models.zoo.wrapped.products import Bias
from viz.attention.captures import Capture
from viz.attention.kinds.affinity import NonLocalCapture
from viz.attention.kinds.channel_scores import CGNLCapture
from viz.attention.kinds.tokens.factors import HeadsCapture
from viz.attention.preprocess import prepare
from viz.geometry import fit
from viz.types import Cell, Clip

FUNCTIONS = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")
SOFTMAX = FUNCTIONS[:2]


def nl_block(name, queries, keys, width=11, heads=1, groups=1, channels=13):
    """Return an NL block of ``heads`` heads, ``width`` columns each."""
    torch.manual_seed(47)
    width = 1 if name == "concatenation" else width
    return NonLocalCapture(
        Place(4, 4),
        torch.randn(queries.cells, heads * width),
        torch.randn(keys.cells, heads * width),
        pairwise(name, width, True),
        queries,
        keys,
        torch.randn(1, channels, *queries),
        groups,
        heads,
    )


def cgnl_block(spec, grid, channels=8, theta=None, phi=None, g=None):
    """Return a CGNL block; theta, phi and g are drawn where they are not given."""
    torch.manual_seed(53)
    parts = [
        torch.randn(channels, grid.cells) if part is None else torch.as_tensor(part).float()
        for part in (theta, phi, g)
    ]
    x = torch.randn(1, 13, *grid)
    return CGNLCapture(Place(4, 4), *parts, kernel(spec), spec.groups, grid, x)


def heads_block(grid, heads=3, width=7, prefix=2, windows=1, added=False):
    """Return a layer of heads over a grid, prefix tokens first; its cells lie in ``windows``
    consecutive parts, each with tokens of its own."""
    torch.manual_seed(59)
    size = grid.cells // windows
    tokens, cells = prefix + size, torch.arange(grid.cells)
    table = Bias(torch.randn(heads, tokens, tokens), torch.arange(heads).repeat(windows, 1))
    numbers = cells.reshape(windows, size)
    return HeadsCapture(
        "blocks.3.attn",
        torch.randn(windows, heads, tokens, width),
        torch.randn(windows, heads, tokens, width),
        width**-0.5,
        (table,) if added else (),
        grid,
        grid,
        torch.stack([cells // size, prefix + cells % size], 1),
        torch.cat([torch.full((windows, prefix), -1), numbers], 1),
        prefix,
        torch.randn(1, 13, *grid).half(),
    )


def slow_row(name, query, keys, scale):
    """Return f(x_i, x_j) / C(x) over all keys, key by key in float64 (Wang et al., eqs. 2-5)."""
    query, keys = query.double().numpy(), keys.double().numpy()
    if name == "concatenation":
        return np.array([max(0, query[0] + key[0]) for key in keys]) / len(keys)
    products = [scale * sum(a * b for a, b in zip(query, key, strict=True)) for key in keys]
    if name == "dot_product":
        return np.array(products) / len(keys)
    weights = [exp(product) for product in products]
    return np.array(weights) / sum(weights)


def cells(grid):
    """Return every cell of a grid in (t, y, x) order."""
    return [
        Cell(t, y, x)
        for t in range(grid.frames)
        for y in range(grid.rows)
        for x in range(grid.cols)
    ]


def captured(*blocks, classes=7, frames=1, model=None):
    """Return a capture of blocks by their labels, of a picture of 67 x 53 pixels."""
    found = {block.label: block for block in blocks}
    return Capture(found, torch.zeros(classes), fit(67, 53, 64, 32), frames, model)


def input_of(model, clip):
    return prepare(clip, model.spec.preprocessing)


def clip_of_frames(tiny_clip, frames):
    """Return a clip whose frames are ever darker."""
    pictures = np.concatenate([tiny_clip.frames // (t + 1) for t in range(frames)])
    return Clip(pictures, tuple(range(frames)), "clip", "0" * 64)


def hooks(network):
    """Return every hook that is on a network's modules."""
    return [
        hook
        for module in network.modules()
        for table in (
            module._forward_hooks,
            module._forward_pre_hooks,
            module._backward_hooks,
            module._backward_pre_hooks,
        )
        for hook in table
    ]


def odd_modes(network):
    """Put some modules into train mode; return the mode of each."""
    network.training = True
    next(iter(network.children())).train()
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms[1::3]:
        norm.train()
    return [module.training for module in network.modules()]


def tensors_of(network):
    """Return a copy of every parameter and statistic by name."""
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def unchanged(network, before):
    """Tell whether a network holds what ``tensors_of`` copied."""
    after = network.state_dict()
    assert before.keys() == after.keys()
    return all(torch.equal(tensor, after[name]) for name, tensor in before.items())


SMALL = Grid(2, 3, 5)


def small_network(**how):
    """Return a ResNet-18 of width 8 for 64 x 64 pixels, whose blocks are not the identity."""
    spec = ModelSpec(18, 8, num_classes=5, preprocessing=Preprocessing(size=64, resize=64), **how)
    with torch.random.fork_rng():
        torch.manual_seed(31)
        network = build(spec).eval()
        for place in network.places:
            torch.nn.init.uniform_(network.block_at(place).norm.weight, 0.5, 1.5)
    return LoadedModel("small", spec, network, tuple("abcde"), "5" * 64)
