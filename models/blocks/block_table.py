"""Attention blocks by their spec: one table."""

from models.blocks.cgnl_block import CGNLBlock
from models.blocks.comparison import A2Block, BAMBlock
from models.blocks.context_block import GlobalContextBlock
from models.blocks.nonlocal_block import NonLocalBlock
from models.blocks.residual_block import ResidualBlock
from models.specs.block import (
    A2Spec,
    BAMSpec,
    BlockSpec,
    CGNLSpec,
    GlobalContextSpec,
    NonLocalSpec,
    ResidualSpec,
)

AttentionBlock = NonLocalBlock | CGNLBlock | ResidualBlock | A2Block | BAMBlock | GlobalContextBlock
_BLOCKS: dict[type, type] = {
    CGNLSpec: CGNLBlock,
    ResidualSpec: ResidualBlock,
    A2Spec: A2Block,
    BAMSpec: BAMBlock,
    GlobalContextSpec: GlobalContextBlock,
}


def block(spec: BlockSpec, channels: int, stage: int) -> AttentionBlock:
    """Return a fresh block for ``channels`` input channels in res``stage``."""
    if isinstance(spec, NonLocalSpec):
        return NonLocalBlock(channels, spec, spec.frames_per_group(stage))
    return _BLOCKS[type(spec)](channels, spec)
