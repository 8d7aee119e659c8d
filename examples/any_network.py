"""What a network of one's own attends to: ten lines, and a figure.

    python -m examples.any_network OUT

Any torch.nn.Module that attends will do; this one is a small vision transformer with random
weights, so that the example needs no connection. OUT is a folder; it gets heads.pdf, its recipe,
and matches.pdf, which joins patches of two pictures.
"""

import sys
from pathlib import Path

import torch
from torch import Tensor, nn

import viz
from viz.examples import bird


class Transformer(nn.Module):
    """Patches of 16 x 16 pixels and a class token through two layers of torch's own encoder."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 48, 16, 16)
        self.token = nn.Parameter(torch.randn(1, 1, 48))
        self.places = nn.Parameter(torch.randn(1, 197, 48))
        layer = nn.TransformerEncoderLayer(48, 4, 96, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.classes = nn.Linear(48, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 3, 224, 224) -> logits (B, 3)."""
        patches = self.patches(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.token.expand(len(x), -1, -1), patches], 1) + self.places
        return self.classes(self.layers(tokens)[:, 0])


def main(out: Path) -> None:
    """Print what attends in the network, and write the figure of its heads."""
    torch.manual_seed(0)
    prep = viz.Preprocessing(size=224, resize=224, stride=16, fixed=True)
    model = viz.wrap(Transformer(), preprocessing=prep, classes=["bird", "cat", "dog"])
    for layer in model.spec.layers:
        print(f"{layer.label}: {layer.heads} heads over {layer.query_grid}, {layer.prefix} before")

    capture = viz.capture(model, bird.clip())  # the only forward pass
    for head in viz.maps(capture, bird.HEAD, block="layers.layers.1.self_attn"):
        print(f"{head.label}: highest {head.values.max():.3g}, sum {head.values.sum():.3f}")

    out.mkdir(parents=True, exist_ok=True)
    figure = viz.figure.groups("example:bird", model, bird.HEAD, width="cvpr-text")
    print(f"wrote {figure.save(out / 'heads.pdf')}")
    print(f"wrote {figure.save(out / 'recipe.json')}")
    lines = viz.figure.matches("example:bird", model, second="example:second-bird")
    print(f"wrote {lines.save(out / 'matches.pdf')}")


if __name__ == "__main__":
    main(Path(*sys.argv[1:] or ["out"]))
