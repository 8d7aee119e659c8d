"""What the picker needs to make the rows of heads itself."""

import torch
from torch import Tensor

from viz.attention.kinds.kind import BrowserFactors
from viz.attention.kinds.tokens.factors import HeadsCapture

LARGEST_BYTES = 48 * 2**20
"""What the browser gets of a layer at most; of larger ones it gets the pinned reference's maps."""
_NEVER = -1e9
"""Stands for a logit of minus infinity, which a mask gives."""


def factors_of(block: HeadsCapture) -> BrowserFactors:
    """Return queries by cell (Q, H d), keys by window (W Nk, H d), what is added to their products,
    and the cell of every key; only a label where that is too much."""
    label = "attention"
    width = block.queries.shape[3] if block.scale else 0
    windows, heads, tokens, _ = block.queries.shape
    keys = block.keys.shape[2]
    options = {
        "width": width,
        "heads": heads,
        "groups": 1,
        "form": "tokens",
        "scale": block.scale,
        "normaliser": "softmax",
        "label": label,
        "queryTokens": tokens,
        "keyTokens": keys,
    }
    tables, which = _tables(block)
    size = 2 * heads * width * (len(block.query_at) + windows * keys)
    if size + 4 * tables.shape[0] * tokens * keys > LARGEST_BYTES:
        return BrowserFactors("static", {"label": label})
    window, token = block.query_at.T
    floats = {"window": window, "keyCell": block.key_cell.flatten()}
    if len(tables):
        added = _sums(block, tables)
        floats |= {"added": added.clamp_min(_NEVER), "addedOf": which, "token": token}
    halves = {}
    if width:
        halves["queries"] = block.queries[window, :, token].flatten(1)
        halves["keys"] = block.keys.transpose(1, 2).flatten(2).flatten(0, 1)
    return BrowserFactors("rows", options, halves, floats)


def _tables(block: HeadsCapture) -> tuple[Tensor, Tensor]:
    """Return every combination of added tables that occurs, (U, terms), and which of them each
    window and head has, (W H)."""
    if not block.added:
        return torch.zeros(0, 0, dtype=torch.long), torch.zeros(0)
    every = torch.stack([one.which.flatten() for one in block.added], 1)
    return every.unique(dim=0, return_inverse=True)


def _sums(block: HeadsCapture, tables: Tensor) -> Tensor:
    """Return what is added in each combination, (U, Nq, Nk)."""
    made = 0.0
    for one, numbers in zip(block.added, tables.T, strict=True):
        made = made + one.values[numbers]
    return made
