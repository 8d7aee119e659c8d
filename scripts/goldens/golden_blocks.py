"""Single blocks and layers of the reference folder: state dict in, output and attention out."""

import re
from pathlib import Path

import torch
from torch import Tensor

from models.blocks.cgd_block import CGDBlock, channel_layer_state
from models.blocks.nonlocal_block import NonLocalBlock
from models.checkpoints.adapt import halve_concatenations, without_unit_sizes
from models.checkpoints.families.family import pooled_after
from models.checkpoints.families.images import DIGIT_BLOCK
from models.checkpoints.families.key_tables import COUNTER, KeyTable, rename
from models.checkpoints.families.structure import nonlocal_facts
from models.checkpoints.fill import fill
from models.specs.block import NonLocalSpec
from models.specs.gate import CGDSpec
from scripts.goldens.golden_cases import Difference, compare

PREFIX = "blocks.nl_1."


def nonlocal_block(state: dict[str, Tensor], function: str) -> NonLocalBlock:
    """Return one NL block of AlexHex7's names, 1-D to 3-D, filled."""
    named = {f"nl_1.{key}": value for key, value in state.items()}
    renamed = rename(KeyTable((COUNTER, *DIGIT_BLOCK)), named, "block")
    tensors = halve_concatenations(renamed.tensors)
    facts = nonlocal_facts(tensors, PREFIX)
    facts.setdefault("function", function)
    spec = NonLocalSpec(**facts, scale=False, pool_keys=pooled_after(renamed))
    block = NonLocalBlock(tensors[PREFIX + "expand.weight"].shape[0], spec).eval()
    bare = {key.removeprefix(PREFIX): value for key, value in tensors.items()}
    fill(block, without_unit_sizes(bare, block), "block")
    return block


def _attention(block: NonLocalBlock, x: Tensor) -> Tensor:
    lifted = x.reshape(*x.shape[:2], *(1,) * (5 - x.ndim), *x.shape[2:])
    factors = block.projection(lifted)
    return block.pairwise.matrix(factors.queries, factors.keys)


def nonlocal_cases(path: Path) -> list[Difference]:
    """Compare output and attention of every block of the file."""
    differences = []
    for name, case in torch.load(path, weights_only=True).items():
        block = nonlocal_block(case["state_dict"], re.split(r"_\dd", name)[0])
        with torch.no_grad():
            seen = block(case["input"]), _attention(block, case["input"])
            block, x = block.double(), case["input"].double()
            exact = block(x), _attention(block, x)
        for what, ours, precise in zip(("output", "attention"), seen, exact, strict=True):
            differences.append(compare(f"{name} {what}", ours, precise, case[what]))
    return differences


def _gate(name: str, state: dict[str, Tensor], channels: int, side: int) -> CGDBlock:
    axis = "space" if name.startswith("spatial") else "channel"
    if name.startswith("combined"):
        # As published it applies its channel layer only.
        part = "channel_att."
        state = {k.removeprefix(part): v for k, v in state.items() if k.startswith(part)}
    if name.startswith("detection"):
        state = channel_layer_state(state)
    gate = CGDBlock(channels, CGDSpec(axis=axis), side).eval()
    fill(gate, state, name)
    return gate


def gate_cases(path: Path) -> list[Difference]:
    """Compare the output of every CGD layer of the file."""
    differences = []
    for name, case in torch.load(path, weights_only=True).items():
        x = case["input"]
        gate = _gate(name, case["state_dict"], x.shape[1], x.shape[2])
        with torch.no_grad():
            seen, exact = gate(x), gate.double()(x.double())
        differences.append(compare(name, seen, exact, case["output"]))
    return differences
