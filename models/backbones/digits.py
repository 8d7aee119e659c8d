"""The digit network of AlexHex7's demonstration: three convolutions, an NL block after the first
two."""

import torch
from torch import Tensor, nn

from errors import InputError
from models.blocks.block_table import AttentionBlock, block
from models.blocks.layout import fold_time, unfold_time
from models.specs.network import DigitSpec
from models.specs.placement import Place


class DigitPlace(Place):
    """After the first or second convolution (``stage`` 1 or 2)."""

    @property
    def label(self) -> str:
        """Name shown to people: the authors' name of the block."""
        return f"nl_{self.stage}"

    @property
    def key(self) -> str:
        """Name in a state dict."""
        return self.label


PLACES = (DigitPlace(1, 0), DigitPlace(2, 0))


class DigitNetwork(nn.Module):
    """Grey images (B, 1, T, 28, 28) -> logits (B, 10); logits of a clip are the mean over frames.

    Only 28 x 28 pixels fit its classifier.
    """

    def __init__(self, spec: DigitSpec) -> None:
        super().__init__()
        self.spec = spec
        width = spec.base_width
        widths = (1, width, 2 * width, 4 * width)
        self.convolutions = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU(), nn.MaxPool2d(2)
            )
            for before, after in zip(widths[:-1], widths[1:], strict=True)
        )
        self.places = PLACES
        self.blocks = nn.ModuleDict(
            {place.key: block(spec.block, widths[place.stage], 2) for place in self.places}
        )
        inside = width * 8
        self.fc = nn.Sequential(
            nn.Linear(widths[3] * 9, inside),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(inside, spec.num_classes),
        )

    def block_at(self, place: Place) -> AttentionBlock:
        """Return the attention block at ``place``."""
        return self.blocks[place.key]

    def unit_at(self, place: Place) -> nn.Module:
        """Return the convolutions before ``place``."""
        return self.convolutions[self.places.index(place)]

    def gated(self) -> dict[str, nn.Module]:
        """Return the gates inside units: none."""
        return {}

    def _run(self, x: Tensor, frames: int, after: int) -> Tensor:
        for index, convolution in enumerate(self.convolutions, start=1):
            if index <= after:
                continue
            x = convolution(x)
            if index <= len(self.places):
                key = self.places[index - 1].key
                x = fold_time(self.blocks[key](unfold_time(x, frames)))
        logits = self.fc(torch.flatten(x, 1))
        return logits.unflatten(0, (-1, frames)).mean(1)

    def resume(self, place: Place, features: Tensor) -> Tensor:
        """Return the logits given what leaves ``place``, (B, C, T, H, W)."""
        return self._run(fold_time(features), features.shape[2], place.stage)

    def forward(self, x: Tensor) -> Tensor:
        side = self.spec.preprocessing.size
        if x.shape[-2:] != (side, side):
            raise InputError(
                f"{x.shape[-1]} x {x.shape[-2]} pixels do not fit this network; use {side} x "
                f"{side}."
            )
        return self._run(fold_time(x), x.shape[2], 0)
