"""What a CGNL block leaves, and how its channels are ranked for a reference."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
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

    # References share what they are ranked by.

    @cached_property
    def theta_mean(self) -> Tensor:
        """The mean of theta over positions, (C',)."""
        return self.theta.mean(1)

    @cached_property
    def theta_spread(self) -> Tensor:
        """The standard deviation of theta over positions, above 0, (C',)."""
        return self.theta.std(1, correction=0).clamp_min(1e-12)

    @cached_property
    def phi_contrast(self) -> Tensor:
        """How far each phi_c rises above its mean over positions at its highest, (C',)."""
        return self.phi.amax(1) - self.phi.mean(1)

    @cached_property
    def responses(self) -> Tensor:
        """y (C', N) of eq. 8, by the block's own kernel."""
        grouped = (part.reshape(1, self.groups, -1) for part in (self.theta, self.phi, self.g))
        return self.kernel.response(*grouped).reshape(self.theta.shape)


def standout(block: CGNLCapture, position: int) -> Tensor:
    """Return the z-score of theta_c(i) over positions times the contrast of phi_c, (C',).

    High where the reference stands out in a channel that also singles out some positions; it
    follows the reference.
    """
    z = (block.theta[:, position] - block.theta_mean) / block.theta_spread
    return z * block.phi_contrast


def response(block: CGNLCapture, position: int) -> Tensor:
    """Return |y_c(i)|, the size of the block's response at the reference (eq. 8), (C',)."""
    return block.responses[:, position].abs()


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
