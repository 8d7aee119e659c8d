"""The same work by what a user would pick instead: Grad-CAM by the libraries that have it, the
affinity with its N x N matrix written out, the CGNL block in its authors' form."""

import importlib.util
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from benchmarks.timing import Runs, in_turns, milliseconds, ratio
from models.blocks.nonlocal_block import NonLocalBlock
from models.build import build, stage_ends
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.network import ModelSpec
from viz.attention.captures import Capture
from viz.attention.choice import MapChoice
from viz.attention.forward import capture
from viz.attention.kinds.registry import as_kind, kind_of
from viz.attention.queries import block_of
from viz.geometry import fit
from viz.types import Cell, ModelInput

SIDE, ROUNDS, CLASS = 224, 9, 7
CHANNELS, GRIDS = 1024, ((1, 28, 28), (4, 28, 28))
ALIKE = 0.999
"""Correlation from which on two maps count as the same work."""


class AsPictures(nn.Module):
    """A network that takes (B, 3, H, W), as the peers' code wants it."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """x (B, 3, H, W) -> logits."""
        return self.network(x.unsqueeze(2))


def _of_class(found: Capture, place: str, number: int) -> Tensor:
    """Return our map of a class at a place, (h, w)."""
    block = as_kind(found, block_of(found, place), "class maps")
    made = kind_of(block).map(block, Cell(0, 0, 0), MapChoice("class", number))
    return torch.from_numpy(made.values[0])


def _grad_cam(module: nn.Module, layer: nn.Module, x: Tensor) -> Tensor:
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    with GradCAM(model=module, target_layers=[layer]) as cam:
        return torch.from_numpy(cam(input_tensor=x, targets=[ClassifierOutputTarget(CLASS)])[0])


def _torchcam(module: nn.Module, layer: nn.Module, x: Tensor) -> Tensor:
    from torchcam.methods import GradCAM

    with GradCAM(module, target_layer=layer) as cam:
        return cam(CLASS, module(x))[0][0]


def _captum(module: nn.Module, layer: nn.Module, x: Tensor) -> Tensor:
    from captum.attr import LayerGradCam

    made = LayerGradCam(module, layer).attribute(x, target=CLASS, relu_attributions=True)
    return made[0, 0].detach()


PEERS: dict[str, tuple[str, Callable[[nn.Module, nn.Module, Tensor], Tensor]]] = {
    "pytorch-grad-cam": ("pytorch_grad_cam", _grad_cam),
    "torchcam": ("torchcam", _torchcam),
    "captum": ("captum", _captum),
}
"""Name -> its module, and its Grad-CAM of one class of one picture."""


def class_maps() -> Iterator[str]:
    """Time Grad-CAM of a ResNet-50 at the end of res4, ours against each library that is there."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = LoadedModel("trunk", ModelSpec(), build(ModelSpec()).eval(), (), "")
        x = torch.randn(1, 3, SIDE, SIDE)
    place = stage_ends(model.spec)[-2]
    module, layer = AsPictures(model.network), model.network.unit_at(place)
    model_input = ModelInput(x.unsqueeze(2), fit(SIDE, SIDE, SIDE, 32))
    found = capture(model, model_input)
    classes = iter(range(1000))
    runs: dict[str, Callable[[], object]] = {
        "ours": lambda: _of_class(capture(model, model_input), place.label, CLASS),
        "ours, a second class": lambda: _of_class(found, place.label, next(classes)),
    }
    own = _of_class(found, place.label, CLASS)
    yield f"Grad-CAM of one class, ResNet-50 at {SIDE} px, {place.label}:"
    for name, (package, run) in PEERS.items():
        if importlib.util.find_spec(package) is None:
            yield f"  {name}: not installed (pip install -r requirements-benchmarks.txt)"
            continue
        made = run(module, layer, x)
        yield f"  {name}: correlation with our map {_alike(own, made):.4f}"
        runs[name] = lambda run=run: run(module, layer, x)
    times = in_turns(runs, ROUNDS)
    yield f"  ours: {milliseconds(times, 'ours')} from picture to map"
    for name in runs.keys() & PEERS.keys():
        yield f"  ours / {name}: {ratio(times, 'ours', name)}"
        second = ratio(times, "ours, a second class", name)
        yield f"  ours / {name}, another class of the same picture: {second}"


def _alike(ours: Tensor, theirs: Tensor) -> float:
    """Return the correlation of two maps on the cells of ours."""
    small = nn.functional.adaptive_avg_pool2d(theirs[None, None].float(), tuple(ours.shape))
    return float(torch.corrcoef(torch.stack([ours.flatten(), small.flatten()]))[0, 1])


class WrittenOut(nn.Module):
    """The same NL block with its N x N matrix in memory, as published forms compute it."""

    def __init__(self, block: NonLocalBlock) -> None:
        super().__init__()
        self.block = block

    def forward(self, x: Tensor) -> Tensor:
        """x (B, C, T, H, W) -> the same shape."""
        factors = self.block.projection(x)
        affinity = self.block.pairwise.matrix(factors.queries, factors.keys)
        y = (affinity @ factors.values).transpose(1, 2)
        return self.block.merge(x, y.reshape(len(x), -1, *factors.query_grid))


@torch.no_grad()
def affinities(device: str = "cpu") -> Iterator[str]:
    """Time our NL block and one reference's row against the matrix of all."""
    block = NonLocalBlock(CHANNELS, NonLocalSpec()).eval().to(device)
    nn.init.ones_(block.norm.weight)
    peer = WrittenOut(block)
    for grid in GRIDS:
        x = torch.randn(1, CHANNELS, *grid, device=device)
        torch.testing.assert_close(peer(x), block(x), rtol=1e-3, atol=1e-3)
        factors = block.projection(x)
        queries, keys = factors.queries[0], factors.keys[0]
        runs: Runs = {
            "ours": lambda x=x: block(x),
            "N x N": lambda x=x: peer(x),
            "row": lambda q=queries, k=keys: block.pairwise.matrix(q[:1], k),
            "matrix": lambda q=queries, k=keys: block.pairwise.matrix(q, k),
        }
        times = in_turns(runs, ROUNDS, device=device)
        count = queries.shape[0]
        yield (
            f"NL block, C = {CHANNELS}, N = {count}, {device}: ours / with its N x N matrix "
            f"({4 * count * count / 2**20:.0f} MB) {ratio(times, 'ours', 'N x N')}; one row / all "
            f"rows {ratio(times, 'row', 'matrix')}"
        )


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks peers`` prints."""
    yield from class_maps()
    yield from affinities()
