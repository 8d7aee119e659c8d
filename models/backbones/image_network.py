"""What the compact networks share: frames folded into the batch, gates by name, sizes by name."""

import re
from abc import ABC, abstractmethod
from typing import NoReturn

from torch import Tensor, nn

from errors import OutsideError, SpecError
from models.blocks.cgd_block import CGDBlock
from models.blocks.layout import fold_time
from models.specs.network import CompactSpec
from models.specs.placement import Place


class ImageNetwork(nn.Module, ABC):
    """Abstract: an image network that takes clips, (B, 3, T, H, W) -> logits (B, classes).

    Only its gates see a clip as one; the features of its frames are averaged before ``classify``.
    """

    places: tuple[Place, ...] = ()
    """These networks have gates, and no attention block at any place."""

    def __init__(self, spec: CompactSpec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def features_of(self, folded: Tensor, frames: int) -> Tensor:
        """Return what is averaged over places and frames, (B*T, C, H', W')."""

    @abstractmethod
    def classify(self, pooled: Tensor) -> Tensor:
        """Return the logits of averaged features (B, C)."""

    def forward(self, x: Tensor) -> Tensor:
        features = self.features_of(fold_time(x), x.shape[2])
        return self.classify(features.mean((2, 3)).unflatten(0, (-1, x.shape[2])).mean(1))

    def block_at(self, place: Place) -> NoReturn:
        """Refuse: there is no attention block; OutsideError says so."""
        raise self._without_blocks(place)

    def unit_at(self, place: Place) -> NoReturn:
        """Refuse: there is no place; OutsideError says so."""
        raise self._without_blocks(place)

    def resume(self, place: Place, features: Tensor) -> NoReturn:  # noqa: ARG002 (as others)
        """Refuse: there is no place to go on from; OutsideError says so."""
        raise self._without_blocks(place)

    def _without_blocks(self, place: Place) -> OutsideError:
        return OutsideError(
            f"{place.label!r} is not a place of {self.spec.family} {self.spec.size_name}, which "
            "has no attention blocks; use its gates, or another network."
        )

    def gated(self) -> dict[str, CGDBlock]:
        """Return the gates by the names of their units, in the order they are passed."""
        return {
            name.removesuffix(".attention"): module
            for name, module in self.named_modules()
            if isinstance(module, CGDBlock)
        }


def size_of(spec: CompactSpec, pattern: str, accepted: str) -> tuple[str, ...]:
    """Return the parts of ``size_name`` that the groups of ``pattern`` match.

    SpecError names what is ``accepted`` when it does not match.
    """
    found = re.fullmatch(pattern, str(spec.size_name))
    if not found:
        raise wrong_size(spec, accepted)
    return found.groups()


def wrong_size(spec: CompactSpec, accepted: str) -> SpecError:
    """Return the refusal of a size that the family does not have."""
    return SpecError(f"{spec.size_name!r} is not a size of {spec.family}; use {accepted}.")
