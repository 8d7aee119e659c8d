"""Segmentation networks with non-local heads, written as mmsegmentation's behave: a block between
convolutions on features of an eighth of the picture, class scores at every pixel."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolved(nn.Sequential):
    """A convolution with its norm."""

    def __init__(self, inner: int, outer: int, size: int = 3) -> None:
        layers = nn.Conv2d(inner, outer, size, padding=size // 2, bias=False), nn.BatchNorm2d(outer)
        super().__init__(*layers, nn.ReLU())


class NonLocal2d(nn.Module):
    """A block in one of four modes; ``pooled`` keys lie on half the rows and columns."""

    def __init__(self, channels: int, mode: str, scaled: bool = True, pooled: bool = False) -> None:
        super().__init__()
        inner = channels // 2
        self.mode, self.scaled = mode, scaled
        self.g = nn.Conv2d(channels, inner, 1)
        if mode != "gaussian":
            self.theta, self.phi = nn.Conv2d(channels, inner, 1), nn.Conv2d(channels, inner, 1)
        if pooled:
            self.g = nn.Sequential(self.g, nn.MaxPool2d(2))
            last = self.phi if mode != "gaussian" else nn.Identity()
            self.phi = nn.Sequential(last, nn.MaxPool2d(2))
        self.conv_out = nn.Conv2d(inner, channels, 1)

    def compared(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if self.mode == "gaussian":
            return x.flatten(2).transpose(1, 2), getattr(self, "phi", nn.Identity())(x).flatten(2)
        return self.theta(x).flatten(2).transpose(1, 2), self.phi(x).flatten(2)

    def weights(self, theta: Tensor, phi: Tensor) -> Tensor:
        products = torch.matmul(theta, phi)
        if self.mode == "dot_product":
            products /= products.shape[-1]
            return products
        if self.scaled and self.mode == "embedded_gaussian":
            products /= theta.shape[-1] ** 0.5
        return products.softmax(dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        g = self.g(x).flatten(2).transpose(1, 2)
        y = torch.matmul(self.weights(*self.compared(x)), g)
        y = y.transpose(1, 2).contiguous().reshape(len(x), -1, *x.shape[2:])
        return x + self.conv_out(y)


class Disentangled2d(NonLocal2d):
    """Whitened pairwise weights at a temperature, and one unary map for all positions."""

    def __init__(self, channels: int, temperature: float = 0.05) -> None:
        super().__init__(channels, "embedded_gaussian", scaled=False)
        self.temperature, self.conv_mask = temperature, nn.Conv2d(channels, 1, 1)

    def weights(self, theta: Tensor, phi: Tensor) -> Tensor:
        products = torch.matmul(theta, phi)
        products /= self.temperature
        return products.softmax(dim=-1)

    def forward(self, x: Tensor) -> Tensor:
        g = self.g(x).flatten(2).transpose(1, 2)
        theta, phi = self.compared(x)
        theta -= theta.mean(dim=-2, keepdim=True)
        phi -= phi.mean(dim=-1, keepdim=True)
        y = torch.matmul(self.weights(theta, phi), g)
        unary = self.conv_mask(x).view(len(x), 1, -1).softmax(dim=-1)
        whole = torch.matmul(unary, g).transpose(1, 2).unsqueeze(-1)
        y = y.transpose(1, 2).contiguous().reshape(len(x), -1, *x.shape[2:])
        return x + self.conv_out(y + whole)


class Segmenter(nn.Module):
    """A trunk of stride 8, then convolution, block, convolution, beside the trunk's features."""

    def __init__(self, block: nn.Module, channels: int = 12, classes: int = 7) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Conv2d(3, 2 * channels, 8, 8), nn.ReLU())
        head = [Convolved(2 * channels, channels), block, Convolved(channels, channels)]
        self.decode_head = nn.Sequential(*head)
        self.conv_cat = Convolved(3 * channels, channels)
        self.conv_seg = nn.Conv2d(channels, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, H, W) -> scores (B, classes, H, W)."""
        features = self.backbone(x)
        merged = self.conv_cat(torch.cat([features, self.decode_head(features)], 1))
        return F.interpolate(self.conv_seg(merged), x.shape[2:], mode="bilinear")
