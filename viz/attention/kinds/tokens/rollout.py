"""Attention rollout: what reaches a patch through all layers up to one."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from errors import InputError
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec
from models.zoo.wrapped.products import Bias
from viz.attention.captures import BlockCapture, Capture
from viz.attention.kinds.kind import MapKind
from viz.attention.kinds.tokens.factors import HeadsCapture, window_weights
from viz.attention.kinds.tokens.heads import Heads

MOST_TOKENS = 2048
"""Tokens up to which the N x N tables of all layers are multiplied."""
_LEAST = 1e-30


@dataclass(frozen=True, eq=False)
class RolloutCapture(HeadsCapture):
    """The rolled out weights as one head whose logits are their logarithms."""

    kind: ClassVar[str] = "rollout"


class Rollout(Heads):
    """Product over layers of (mean over heads + identity) / 2 (Abnar and Zuidema 2020, sec. 3)."""

    name = "rollout"
    title = "Rollout"
    menu = "attention rollout up to the layer"
    derived = True
    division = ""

    around = MapKind.around

    def belongs_to(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell that no block is of this kind by itself."""
        del spec
        return False

    def suits(self, spec: NetworkSpec | WrappedSpec) -> bool:
        """Tell whether the network's layers have heads over the same tokens."""
        return isinstance(spec, WrappedSpec) and any(
            layer.query_grid == layer.key_grid for layer in spec.layers
        )

    def can_derive(self, block: BlockCapture) -> bool:
        """Tell whether every token of the layer is query and key."""
        return block.kind == "heads" and _is_square(block)

    def derive(self, capture: Capture, block: HeadsCapture) -> RolloutCapture:
        """Return the product over layers up to ``block``; InputError where their tokens differ."""
        layers = _until(capture, block)
        tokens = block.queries.shape[2]
        if tokens > MOST_TOKENS:
            raise InputError(
                f"Rollout multiplies tables of {tokens} x {tokens} weights; up to {MOST_TOKENS} "
                "tokens are rolled out. Use a smaller input."
            )
        made = torch.stack([_rolled(layers, window) for window in range(len(block.queries))])
        which = torch.arange(len(made))[:, None]
        empty = made.new_zeros(len(made), 1, tokens, 0)
        return RolloutCapture(
            block.label, empty, empty, 0.0, (Bias(made.clamp_min(_LEAST).log(), which),),
            block.query_grid, block.key_grid, block.query_at, block.key_cell, block.prefix,
        )  # fmt: skip

    def formula(self, block: RolloutCapture) -> str:
        """Return the formula of the product."""
        del block
        return r"m=\prod_{l}\tfrac{1}{2}\left(\tfrac{1}{H}\sum_h A_{l,h}+I\right)"

    def sentence(self, block: RolloutCapture) -> str:
        """Return what a value means."""
        return (
            f"Each value is the share of position j in the reference patch i after {block.label}, "
            "if every layer passed on half of a token as it is and half by the mean weights of its "
            "heads; values and what follows attention are left aside."
        )


def _is_square(block: HeadsCapture) -> bool:
    whole = len(block.queries) == block.query_grid.frames or len(block.queries) == 1
    same = block.queries.shape[2] == block.keys.shape[2] and block.query_grid == block.key_grid
    return whole and same and not block.is_query_free


def _until(capture: Capture, block: HeadsCapture) -> list[HeadsCapture]:
    """Return the layers up to one, those with a single query left out."""
    labels = list(capture.blocks)
    layers = [capture.blocks[name] for name in labels[: labels.index(block.label) + 1]]
    layers = [one for one in layers if not one.is_query_free]
    for one in layers:
        if not _is_square(one) or one.queries.shape[2] != block.queries.shape[2]:
            raise InputError(
                f"Rollout needs layers over the same tokens, and {one.label} has others than "
                f"{block.label}; show the heads of the layer."
            )
    return layers


def _rolled(layers: list[HeadsCapture], window: int) -> Tensor:
    """Return the product over layers of one window, (N, N)."""
    tokens = layers[0].queries.shape[2]
    every = torch.arange(tokens)
    rolled = torch.eye(tokens, device=layers[0].queries.device)
    for one in layers:
        mixed = window_weights(one, window, every).mean(0)
        rolled = (mixed @ rolled + rolled) / 2
    return rolled
