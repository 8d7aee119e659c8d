"""CGNL maps: products of theta and phi by channel and by group, and which channels to show."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict

import numpy as np
import torch
from torch import Tensor

from errors import OutsideError, counted
from models.blocks.cgnl_block import CGNLBlock, CGNLFactors
from models.blocks.kernels import TaylorKernel
from models.blocks.layout import grid_of
from models.build import Network
from models.specs.block import CGNLSpec
from models.specs.network import NetworkSpec
from models.specs.placement import Place
from viz.attention.captures import BlockCapture, Capture
from viz.attention.choice import MapChoice, Selection
from viz.attention.kinds.channel_scores import (
    SCORES,
    CGNLCapture,
    best_per_group,
    channel_strengths,
    class_evidence,
    group_maps,
    group_strengths,
    is_dot_product,
    standout,
)
from viz.attention.kinds.kind import BrowserFactors, MapKind, Tap, top
from viz.attention.kinds.positions import check_cell, spread
from viz.types import AttentionMap, Cell, Query


class ChannelProducts(MapKind):
    """Channel m_c(j) = sum_p alpha_p^2 (theta_c(i) phi_c(j))^p (Yue et al. 2018, eqs. 7-13), and
    the sums of a group's channels."""

    name = "channels"
    title = "CGNL"
    menu = "what the block computes"
    part = "channel"
    division = "group"
    rankings = ("standout", "response", "contrast", "one per group")
    class_ranking = "class evidence"
    ranking_help = (
        "Distinctiveness: how far the reference differs in a channel from other places, times the "
        "channel's contrast. Response: size of the block's response there. Contrast: range of the "
        "map. Best channel of each group: by distinctiveness."
    )
    ranking_words = {
        "standout": "distinctiveness",
        "one per group": "best channel of each group",
    }

    def belongs_to(self, spec: NetworkSpec) -> bool:
        """Tell whether the network's blocks are CGNL blocks."""
        return isinstance(getattr(spec, "block", None), CGNLSpec)

    def taps(self, network: Network) -> Iterable[Tap]:
        """Listen to the projections of CGNL blocks."""
        for place in network.places:
            block = network.block_at(place)
            if isinstance(block, CGNLBlock):
                yield Tap(place.label, block.projection, _keeper(block, place))

    def parts(self, block: CGNLCapture) -> int:
        """Return C', the number of channels."""
        return len(block.theta)

    def divisions(self, block: CGNLCapture) -> tuple[MapChoice, ...]:
        """Return the groups."""
        return tuple(MapChoice("group", number) for number in range(block.groups))

    def division_words(self, block: CGNLCapture) -> str:
        """Return what a group's map is."""
        size = len(block.theta) // block.groups
        return f"groups (sum of each group's {counted(size, 'channel map')})"

    def _most_ranked(self, block: CGNLCapture, ranking: str) -> int:
        return block.groups if ranking == "one per group" else self.parts(block)

    def map(self, block: CGNLCapture, cell: Cell, choice: MapChoice | None = None) -> AttentionMap:
        """Return the map of a channel or a group, by number."""
        if choice is None or choice.part == "channel":
            return channel_map(block, cell, 0 if choice is None else choice.number)
        return group_map(block, cell, choice.number)

    def maps_at(
        self, block: CGNLCapture, cells: Sequence[Cell], selection: Selection
    ) -> list[list[AttentionMap]]:
        """Return the maps of a selection at each reference, channels in one go."""
        choices = self.listed_at(block, cells, selection)
        if not _are_channels(choices):
            return super().maps_at(block, cells, selection)
        values = _channel_values(block, cells, choices).cpu().numpy()
        return [
            [_labelled(block, cell, map_, f"c{one.number}", one.number)
             for one, map_ in zip(listed, maps, strict=True)]
            for cell, listed, maps in zip(cells, choices, values, strict=True)
        ]  # fmt: skip

    def stacked(self, block: CGNLCapture, cells: Sequence[Cell], selection: Selection) -> Tensor:
        """Return the maps of a selection side by side, channels in one go."""
        choices = self.listed_at(block, cells, selection)
        if not _are_channels(choices):
            return super().stacked(block, cells, selection)
        return _channel_values(block, cells, choices)

    def listed_at(
        self, block: CGNLCapture, cells: Sequence[Cell], selection: Selection
    ) -> list[list[MapChoice]]:
        """Return the maps of a selection at each reference, all ranked in one go."""
        ranking = selection.ranking or self.rankings[0]
        if selection.listed or selection.divisions or ranking not in SCORES:
            return super().listed_at(block, cells, selection)
        scores = SCORES[ranking](block, _positions(block, cells)).T
        best = scores.argsort(dim=1, descending=True, stable=True)[:, : selection.count].tolist()
        return [[MapChoice(self.part, number) for number in numbers] for numbers in best]

    def rank(self, block: CGNLCapture, cell: Cell, ranking: str) -> list[int]:
        """Return all channels, best first; "one per group" gives each group's best by standout."""
        positions = _positions(block, [cell])
        if ranking == "one per group":
            return best_per_group(standout(block, positions)[:, 0], block.groups)
        return top(SCORES[ranking](block, positions)[:, 0])

    def class_scores(self, capture: Capture, block: CGNLCapture, index: int) -> Tensor:
        """Return the class evidence of every channel, (C',)."""
        return class_evidence(capture, block, index)

    def browser(self, block: CGNLCapture, selection: Selection) -> BrowserFactors:
        """Return theta and phi, and what the rankings need."""
        kernel = block.kernel
        arithmetic = {"terms": kernel.terms} if isinstance(kernel, TaylorKernel) else asdict(kernel)
        ranking = selection.ranking or self.rankings[0]
        options = {
            "channels": len(block.theta),
            "groups": block.groups,
            "kernel": arithmetic,
            "ranking": ranking,
            "count": selection.count,
            "listed": list(selection.listed),
        }
        halves = {"theta": block.theta, "phi": block.phi}
        if ranking == "response":
            halves["response"] = block.responses
        return BrowserFactors(
            "channels",
            options,
            halves,
            {
                "mean": block.theta_mean,
                "spread": block.theta_spread,
                "contrast": block.phi_contrast,
            },
        )

    def sample(self, block: CGNLCapture, most: int) -> Tensor:
        """Return the group maps of references: a single dot-product channel has one shape for all
        of them by construction."""
        size, positions = len(block.theta) // block.groups, spread(block.query_grid, most)
        theta = block.theta[:, positions].reshape(block.groups, size, -1)
        phi = block.phi.reshape(block.groups, size, -1)
        return torch.stack([group_maps(block, theta[k], phi[k]) for k in range(block.groups)])

    def strengths(self, block: CGNLCapture, part: str) -> Tensor:
        """Return the largest absolute value of the map of every channel or group, (K, N)."""
        self._answers(block, part)
        if part == self.part:
            return channel_strengths(block)
        size = len(block.theta) // block.groups
        pairs = zip(block.theta.split(size), block.phi.split(size), strict=True)
        return torch.stack([group_strengths(block, theta, phi) for theta, phi in pairs])

    def formula(self, block: CGNLCapture) -> str:
        """Return the formula of the kernel."""
        if not isinstance(block.kernel, TaylorKernel):
            return r"m_c(j)=k\left(\theta_c(i),\phi_c(j)\right)"
        if is_dot_product(block.kernel):
            return r"m_c(j)=\theta_c(i)\,\phi_c(j),\qquad m_g(j)=\sum_{c\in g}m_c(j)"
        taylor = r"m_c(j)=\sum_p\alpha_p^2\left(\theta_c(i)\,\phi_c(j)\right)^p"
        return taylor + r",\qquad m_g(j)=\sum_{c\in g}m_c(j)"

    def sentence(self, block: CGNLCapture) -> str:
        """Return what a bright position means."""
        if not isinstance(block.kernel, TaylorKernel):
            return _OUTER_PRODUCT if block.kernel.linear else _EXACT
        return _OUTER_PRODUCT if is_dot_product(block.kernel) else _TAYLOR


def _keeper(block: CGNLBlock, place: Place) -> Callable[[tuple[Tensor], CGNLFactors], BlockCapture]:
    def keep(args: tuple[Tensor], factors: CGNLFactors) -> CGNLCapture:
        channels, x = factors.theta.shape[1], args[0]
        entries = (part[0].reshape(channels, -1).float() for part in block.entries(factors))
        return CGNLCapture(place, *entries, block.kernel, block.spec.groups, grid_of(x), x)

    return keep


def channel_map(
    block: CGNLCapture, cell: Cell, channel: int, to_channel: int | None = None
) -> AttentionMap:
    """Return m_c(j) = sum_p alpha_p^2 (theta_c(i) phi_c(j))^p, or m_cd(j) with phi of
    ``to_channel``.

    It is the (c, i) row of the C'N x C'N attention (Yue et al. 2018, eq. 8), read at one channel:
    values (T, h, w) float32.
    """
    check_cell(cell, block.query_grid)
    other = channel if to_channel is None else to_channel
    for asked in dict.fromkeys((channel, other)):
        ChannelProducts().check(block, asked)
    theta = block.theta[channel, cell.position(block.query_grid)]
    label = f"c{channel}" if to_channel is None else f"c{channel}>c{to_channel}"
    return _made(block, cell, block.kernel.compare(theta, block.phi[other]), label, channel)


def group_map(block: CGNLCapture, cell: Cell, group: int) -> AttentionMap:
    """Return the sum of the same-channel maps of one group's channels: (T, h, w) float32."""
    check_cell(cell, block.query_grid)
    if not 0 <= group < block.groups:
        raise OutsideError(
            f"{group} is not a group of {block.label}; it has groups 0 to {block.groups - 1}."
        )
    size = len(block.theta) // block.groups
    part = slice(group * size, (group + 1) * size)
    theta = block.theta[part, cell.position(block.query_grid)].unsqueeze(1)
    values = block.kernel.compare(theta, block.phi[part]).sum(0)
    return _made(block, cell, values, f"g{group}", group, "group")


def _made(
    block: CGNLCapture, cell: Cell, values: Tensor, label: str, number: int, part: str = "channel"
) -> AttentionMap:
    shaped = values.reshape(block.query_grid).cpu().numpy()
    return _labelled(block, cell, shaped, label, number, part)


def _labelled(
    block: CGNLCapture,
    cell: Cell,
    values: np.ndarray,
    label: str,
    number: int,
    part: str = "channel",
) -> AttentionMap:
    query = Query(block.label, cell)
    return AttentionMap(values, query, "response, any sign", label, part, number)


def _positions(block: CGNLCapture, cells: Sequence[Cell]) -> list[int]:
    """Return the positions of references, each of which the block has."""
    for cell in cells:
        check_cell(cell, block.query_grid)
    return [cell.position(block.query_grid) for cell in cells]


def _are_channels(choices: Sequence[Sequence[MapChoice]]) -> bool:
    return all(one.part == "channel" for listed in choices for one in listed)


def _channel_values(
    block: CGNLCapture, cells: Sequence[Cell], choices: Sequence[Sequence[MapChoice]]
) -> Tensor:
    """Return the maps of K channels of each of R references, (R, K, T, h, w)."""
    numbers = torch.tensor([[one.number for one in listed] for listed in choices])
    positions = torch.tensor(_positions(block, cells)).unsqueeze(1)
    values = block.kernel.compare(block.theta[numbers, positions].unsqueeze(2), block.phi[numbers])
    return values.unflatten(2, tuple(block.query_grid))


_OUTER_PRODUCT = (
    "A bright position j has a strong phi in the same channel as the reference's theta. With "
    "the dot-product kernel a single channel's map is an outer product: theta of the "
    "reference is one number that multiplies the same phi everywhere, so moving the reference "
    "changes the map's size and sign but never its shape. Which channels rank first and the "
    "group maps, sums of many channels, do change."
)
_TAYLOR = (
    "A bright position j agrees with the reference in this channel under the kernel's Taylor "
    "expansion; the higher powers let a channel's map change shape, weakly, with the "
    "reference. Group maps add up their channels."
)
_EXACT = (
    "A bright position j agrees with the reference in this channel under the exact kernel, "
    "not its expansion. Group maps add up their channels."
)
