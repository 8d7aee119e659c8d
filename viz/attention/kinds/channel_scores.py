"""What a CGNL block leaves, how its channels are ranked, and how strongly they answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from errors import OutsideError
from models.blocks.kernels import Kernel, TaylorKernel
from models.blocks.layout import Grid
from models.specs.placement import Place
from viz.attention.captures import BlockCapture, Capture
from viz.attention.hooks import listening
from viz.attention.kinds.kind import AT_ONCE


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


def standout(block: CGNLCapture, positions: Sequence[int]) -> Tensor:
    """Return the z-score of theta_c(i) over positions times the contrast of phi_c, (C', R).

    High where the reference stands out in a channel that also singles out some positions; it
    follows the reference.
    """
    z = (block.theta[:, positions] - block.theta_mean[:, None]) / block.theta_spread[:, None]
    return z * block.phi_contrast[:, None]


def response(block: CGNLCapture, positions: Sequence[int]) -> Tensor:
    """Return |y_c(i)|, the size of the block's response at the reference (eq. 8), (C', R)."""
    return block.responses[:, positions].abs()


def contrast(block: CGNLCapture, positions: Sequence[int]) -> Tensor:
    """Return the range (max - min over positions) of each channel's map, (C', R)."""
    maps = (block.kernel.compare(block.theta[:, [at]], block.phi) for at in positions)
    return torch.stack([map_.amax(1) - map_.amin(1) for map_ in maps], 1)


SCORES: dict[str, Callable[[CGNLCapture, Sequence[int]], Tensor]] = {
    "standout": standout,
    "response": response,
    "contrast": contrast,
}
"""Ranking -> the scores of all channels at R references."""


def best_per_group(scores: Tensor, groups: int) -> list[int]:
    """Return the best channel of every group, in group order."""
    size = len(scores) // groups
    return [group * size + int(part.argmax()) for group, part in enumerate(scores.split(size))]


def class_evidence(capture: Capture, block: CGNLCapture, class_index: int) -> Tensor:
    """Return sum over positions of d logit / d y_c times y_c, (C',): one backward pass a class.

    The network is not run again before the block; only the units behind it are.
    """
    model = capture.model
    check_class(capture, class_index)
    network, module = model.network, model.network.block_at(block.place)
    x = block.block_input
    y = block.responses.reshape(1, -1, *block.query_grid).to(x).requires_grad_()
    with listening(model, ()), torch.enable_grad():
        logit = network.resume(block.place, module.merge(x, y))[0, class_index]
        (gradient,) = torch.autograd.grad(logit, y)
    return (gradient * y).detach().sum((0, 2, 3, 4)).float()


def check_class(capture: Capture, index: int) -> None:
    """Refuse a class that the network does not have."""
    if not len(capture.logits):
        raise OutsideError(f"{capture.model.id} has no classifier; rank its maps another way.")
    if not 0 <= index < len(capture.logits):
        raise OutsideError(
            f"{index} is not a class of {capture.model.id}; it has classes 0 to "
            f"{len(capture.logits) - 1}."
        )


def group_maps(block: CGNLCapture, theta: Tensor, phi: Tensor) -> Tensor:
    """(channels, R), (channels, N) -> (R, N): sum of same-channel maps, a reference at a time."""
    return torch.stack([block.kernel.compare(t.unsqueeze(1), phi).sum(0) for t in theta.T])


def channel_strengths(block: CGNLCapture) -> Tensor:
    """Return max_j |m_c(j)| of every channel with each position as the reference, (C', N)."""
    if is_dot_product(block.kernel):
        return block.theta.abs() * block.phi.abs().amax(1, keepdim=True)
    pairs = zip(block.theta, block.phi, strict=True)
    return torch.stack([block.kernel.compare(t[:, None], p).abs().amax(1) for t, p in pairs])


def group_strengths(block: CGNLCapture, theta: Tensor, phi: Tensor) -> Tensor:
    """(channels, N), (channels, N) -> (N,): max_j of the sum of same-channel maps, absolute."""
    if is_dot_product(block.kernel):
        made = (t @ phi for t in theta.T.split(AT_ONCE))
    else:
        made = (group_maps(block, t.T, phi) for t in theta.T.split(AT_ONCE))
    return torch.cat([maps.abs().amax(1) for maps in made])


def is_dot_product(kernel: Kernel) -> bool:
    """Tell whether a kernel is the dot product and nothing else, as a Taylor expansion."""
    return isinstance(kernel, TaylorKernel) and [power for power, _weight in kernel.terms] == [1]
