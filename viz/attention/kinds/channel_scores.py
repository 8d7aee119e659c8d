"""What a CGNL block leaves, and how its channels are ranked for a reference."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.blocks.kernels import Kernel
from models.blocks.layout import Grid
from models.specs.placement import Place
from viz.attention.captures import BlockCapture


@dataclass(frozen=True, eq=False)
class CGNLCapture(BlockCapture):
    """The factors of one CGNL block: theta, phi, g (C', N) float32 where the
    network is.

    They are as the kernel takes them (l2-normalised, scaled where the block does so). phi lives
    where theta does: CGNL pools no keys.
    """

    kind: ClassVar[str] = "channels"
    place: Place
    theta: Tensor
    phi: Tensor
    g: Tensor
    kernel: Kernel
    groups: int
    query_grid: Grid
    block_input: Tensor

    @property
    def key_grid(self) -> Grid:
        """The cells of maps, those of references."""
        return self.query_grid


def standout(block: CGNLCapture, position: int) -> Tensor:
    """Return the z-score of theta_c(i) over positions times the contrast of phi_c, (C',).

    High where the reference stands out in a channel that also singles out some positions; it
    follows the reference.
    """
    spread = block.theta.std(1, correction=0).clamp_min(1e-12)
    z = (block.theta[:, position] - block.theta.mean(1)) / spread
    return z * phi_contrast(block)


def phi_contrast(block: CGNLCapture) -> Tensor:
    """Return how far each phi_c rises above its mean over positions at its highest, (C',)."""
    return block.phi.amax(1) - block.phi.mean(1)


def response(block: CGNLCapture, position: int) -> Tensor:
    """Return |y_c(i)|, the size of the block's response at the reference (eq. 8), (C',)."""
    return responses(block)[:, position].abs()


def responses(block: CGNLCapture) -> Tensor:
    """Return y (C', N) of eq. 8, by the block's own kernel."""
    grouped = (part.reshape(1, block.groups, -1) for part in (block.theta, block.phi, block.g))
    return block.kernel.response(*grouped).reshape(block.theta.shape)


def contrast(block: CGNLCapture, position: int) -> Tensor:
    """Return the range (max - min over positions) of each channel's map, (C',)."""
    maps = block.kernel.compare(block.theta[:, position].unsqueeze(1), block.phi)
    return maps.amax(1) - maps.amin(1)


SCORES: dict[str, Callable[[CGNLCapture, int], Tensor]] = {
    "standout": standout,
    "response": response,
    "contrast": contrast,
}


def best_per_group(scores: Tensor, groups: int) -> list[int]:
    """Return the best channel of every group, in group order."""
    size = len(scores) // groups
    return [group * size + int(part.argmax()) for group, part in enumerate(scores.split(size))]
