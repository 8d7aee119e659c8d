"""The CGNL block's maps: per channel, across channels, per group, and which channels to show."""

from collections.abc import Callable
from typing import Literal, get_args

import torch
from torch import Tensor

from errors import OutsideError
from models.loaded import LoadedModel
from viz.attention.affinity import check_cell
from viz.types import AttentionMap, Cell, CGNLCapture, Query

Ranking = Literal["standout", "response", "contrast", "one per group", "class evidence"]
RANKINGS: tuple[str, ...] = get_args(Ranking)
_SIGNED = "response, any sign"


def check_channel(block: CGNLCapture, channel: int) -> None:
    """Refuse a channel that the block does not have."""
    if not 0 <= channel < len(block.theta):
        raise OutsideError(
            f"Channel {channel} came; block {block.place.label} has channels 0 to "
            f"{len(block.theta) - 1}."
        )


def channel_map(
    block: CGNLCapture, cell: Cell, channel: int, to_channel: int | None = None
) -> AttentionMap:
    """Return m_c(j) = sum_p alpha_p^2 (theta_c(i) phi_c(j))^p, or m_cd(j) with phi of
    ``to_channel``.

    It is the (c, i) row of the C'N x C'N attention (Yue et al. 2018, eq. 8), read at one channel:
    values (T, h, w) float32.
    """
    check_cell(cell, block.query_grid)
    for asked in (channel,) if to_channel is None else (channel, to_channel):
        check_channel(block, asked)
    other = channel if to_channel is None else to_channel
    theta = block.theta[channel, cell.position(block.query_grid)]
    values = block.kernel.compare(theta, block.phi[other])
    return AttentionMap(
        values.reshape(block.query_grid).numpy(),
        Query(block.place.label, cell),
        _SIGNED,
        channel=channel,
        to_channel=to_channel,
    )


def group_map(block: CGNLCapture, cell: Cell, group: int) -> AttentionMap:
    """Return the sum of the same-channel maps of one group's channels: (T, h, w) float32."""
    check_cell(cell, block.query_grid)
    if not 0 <= group < block.groups:
        raise OutsideError(
            f"Group {group} came; block {block.place.label} has groups 0 to {block.groups - 1}."
        )
    size = len(block.theta) // block.groups
    part = slice(group * size, (group + 1) * size)
    theta = block.theta[part, cell.position(block.query_grid)].unsqueeze(1)
    values = block.kernel.compare(theta, block.phi[part]).sum(0)
    return AttentionMap(
        values.reshape(block.query_grid).numpy(),
        Query(block.place.label, cell),
        _SIGNED,
        group=group,
    )


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


def class_evidence(model: LoadedModel, block: CGNLCapture, class_index: int) -> Tensor:
    """Return sum over positions of d logit / d y_c times y_c, (C',): one backward pass a class.

    The network is not run again before the block; only the units behind it are.
    """
    network, module = model.network, model.network.block_at(block.place)
    if not 0 <= class_index < model.spec.num_classes:
        raise OutsideError(
            f"Class {class_index} came; {model.id} has classes 0 to {model.spec.num_classes - 1}."
        )
    x = block.block_input
    y = responses(block).reshape(1, -1, *block.query_grid).to(x).requires_grad_()
    with model.lock, torch.enable_grad():
        logit = network.resume(block.place, module.merge(x, y))[0, class_index]
        (gradient,) = torch.autograd.grad(logit, y)
    return (gradient * y).detach().sum((0, 2, 3, 4)).float().cpu()


_SCORES: dict[str, Callable[[CGNLCapture, int], Tensor]] = {
    "standout": standout,
    "response": response,
    "contrast": contrast,
}


def rank(block: CGNLCapture, cell: Cell, how: Ranking = "standout", count: int = 5) -> list[int]:
    """Return the ``count`` best channels for this reference, best first.

    "one per group" takes each group's best by "standout". For "class evidence" rank the scores of
    ``class_evidence`` with ``top``.
    """
    check_cell(cell, block.query_grid)
    position = cell.position(block.query_grid)
    if how == "one per group":
        return best_per_group(standout(block, position), block.groups)[:count]
    if how not in _SCORES:
        raise OutsideError(f"Ranking {how!r} came; use one of {', '.join(_SCORES)}, one per group.")
    return top(_SCORES[how](block, position), count)


def top(scores: Tensor, count: int) -> list[int]:
    """Return the indices of the ``count`` largest scores, largest first."""
    return scores.argsort(descending=True, stable=True)[:count].tolist()


def best_per_group(scores: Tensor, groups: int) -> list[int]:
    """Return the best channel of every group, in group order."""
    size = len(scores) // groups
    return [group * size + int(part.argmax()) for group, part in enumerate(scores.split(size))]
