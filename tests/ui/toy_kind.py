"""A kind of map in one module: how near every cell is to the reference. Nothing else knows it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.blocks.layout import Grid
from models.specs.placement import Place
from viz.attention.captures import BlockCapture
from viz.attention.kinds.kind import BrowserFactors, MapKind
from viz.types import AttentionMap, Query


@dataclass(frozen=True, eq=False)
class Nearness(BlockCapture):
    """The places of the cells of a block, (N, 3) in frames, rows and columns."""

    kind: ClassVar[str] = "nearness"
    place: Place
    places: Tensor
    query_grid: Grid
    block_input: Tensor

    @property
    def key_grid(self):
        return self.query_grid


class NearnessMaps(MapKind):
    """-|j - i|^2 = 2 i . j - |j|^2 - |i|^2, which is a product of queries and keys."""

    name = "nearness"
    title = "Near"
    menu = "how near it is"
    derived = True

    def can_derive(self, block):
        return block.block_input is not None

    def derive(self, _capture, block):
        grid = block.query_grid
        axes = (torch.arange(float(side)) for side in grid)
        places = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        return Nearness(block.place, places, grid, block.block_input)

    def map(self, block, cell, _choice=None):
        off = block.places - torch.tensor([cell.t, cell.y, cell.x])
        values = 0.0 - (off**2).sum(1).reshape(block.query_grid)
        return AttentionMap(values.numpy(), Query(block.label, cell), "response, any sign", "near")

    def browser(self, block, _selection):
        places, ones = block.places, torch.ones(len(block.places), 1)
        size = (places**2).sum(1, keepdim=True)
        options = {
            "width": 5, "heads": 1, "groups": 1, "form": "product", "scale": 1.0,
            "normaliser": "none", "label": "nearness",
        }  # fmt: skip
        queries = torch.cat([2 * places, -ones, -size], 1)
        keys = torch.cat([places, size, ones], 1)
        return BrowserFactors("rows", options, {"queries": queries, "keys": keys})

    def formula(self, _block):
        return r"m(j)=-\lVert j-i\rVert^2"

    def sentence(self, _block):
        return "Each value is the distance to the reference patch, squared and below zero."


class SentNearness(NearnessMaps):
    """The same maps, which the browser does not compute."""

    name = "sent nearness"
    menu = "how near it is, sent"

    def derive(self, _capture, block):
        made = super().derive(_capture, block)
        return SentPlaces(made.place, made.places, made.query_grid, made.block_input)

    def browser(self, _block, _selection):
        return BrowserFactors("static", {"label": "nearness"})


class SentPlaces(Nearness):
    """What the kind without arithmetic is made of."""

    kind = "sent nearness"
