"""What one forward pass leaves at the last attention block, and the maps made of it."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.blocks.cgnl_block import CGNLBlock, CGNLFactors
from models.blocks.layout import Grid
from models.blocks.nonlocal_block import NonLocalBlock, NonLocalFactors
from models.build import Network
from models.specs.network import Preprocessing

TOP_CHANNELS = 5


@dataclass(frozen=True, eq=False)
class Tap:
    """One picture or clip at a block: its input (C, N), what the block projects it to, the grid."""

    block: NonLocalBlock | CGNLBlock
    features: Tensor
    factors: NonLocalFactors | CGNLFactors
    grid: Grid

    def row(self, position: int) -> Tensor:
        """Return the affinity row of a position, (N,)."""
        queries, keys = self.factors.queries[0], self.factors.keys[0]
        return self.block.pairwise.matrix(queries[position, None], keys)[0]

    def channels(self) -> tuple[Tensor, Tensor]:
        """Return theta and phi of a CGNL block, (C', N) each."""
        theta, phi, _g = self.block.entries(self.factors)
        shape = (self.factors.theta.shape[1], -1)
        return theta.reshape(shape), phi.reshape(shape)

    def best_channels(self, position: int, count: int = TOP_CHANNELS) -> Tensor:
        """Return the maps of the channels in which a position stands out most, (count, N).

        Ranked by the z-score of theta_c(i) over positions times how far phi_c rises above its mean.
        """
        theta, phi = self.channels()
        z = (theta[:, position] - theta.mean(1)) / theta.std(1, correction=0).clamp_min(1e-12)
        best = (z * (phi.amax(1) - phi.mean(1))).topk(count).indices
        return self.block.kernel.compare(theta[best, position, None], phi[best])

    def cosine(self, position: int) -> Tensor:
        """Return the cosine of the block's input at a position and everywhere, (N,)."""
        unit = F.normalize(self.features, dim=0)
        return unit[:, position] @ unit


@torch.no_grad()
def tap(network: Network, x: Tensor) -> tuple[Tensor, Tap]:
    """Run (1, 3, T, H, W) once; return the logits (classes,) and the last block's tap."""
    kept: list = []
    block = network.block_at(network.places[-1])

    def keep(_module: nn.Module, args: tuple[Tensor], factors: NonLocalFactors) -> None:
        kept.append((args[0], factors))

    hook = block.projection.register_forward_hook(keep)
    try:
        logits = network(x)[0]
    finally:
        hook.remove()
    features, factors = kept[-1]
    return logits, Tap(block, features[0].flatten(1), factors, Grid(*features.shape[2:]))


def normalised(pixels: Tensor, prep: Preprocessing) -> Tensor:
    """(T, 3, H, W) in [0, 1] -> the network's input (1, 3, T, H, W)."""
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (prep.mean, prep.std))
    return ((pixels - mean) / std).transpose(0, 1).unsqueeze(0).contiguous()


def resized(frames: Tensor, height: int, width: int) -> Tensor:
    """(T, H, W, 3) uint8 -> (T, 3, height, width) in [0, 1], antialiased."""
    pixels = frames.permute(0, 3, 1, 2).float() / 255
    return F.interpolate(pixels, size=(height, width), mode="bilinear", antialias=True)


def whole(frames: Tensor, prep: Preprocessing, size: int) -> Tensor:
    """Return whole frames (T, H, W, 3) uint8 as input, long side near ``size``, both sides rounded
    to the network's stride: (1, 3, T, h, w)."""
    scale = size / max(frames.shape[1:3])
    height, width = (
        max(prep.stride, round(n * scale / prep.stride) * prep.stride) for n in frames.shape[1:3]
    )
    return normalised(resized(frames, height, width), prep)
