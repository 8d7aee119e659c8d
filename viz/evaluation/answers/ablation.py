"""A network without its attention blocks: what they add to its answers."""

from torch import nn

from models.blocks.context_block import GlobalContextBlock
from models.build import Network


def removable(network: Network) -> bool:
    """Tell whether a network has attention blocks that stand beside its trunk, and can be left out.

    The layers of a transformer, or of any other module, are not such.
    """
    if not network.places:
        return False
    found = network.block_at(network.places[0]) if hasattr(network, "block_at") else None
    return isinstance(found, GlobalContextBlock) or (
        isinstance(found, nn.Module) and hasattr(found, "projection")
    )


class BlockRemoved:
    """Makes every attention block of a network pass its input on; undone at the end of ``with``."""

    def __init__(self, network: Network) -> None:
        self.blocks = [network.block_at(place) for place in network.places]
        self.hooks: list = []

    def __enter__(self) -> None:
        for block in self.blocks:
            self.hooks.append(block.register_forward_hook(lambda _m, args, _out: args[0]))

    def __exit__(self, *_problem: object) -> None:
        for hook in self.hooks:
            hook.remove()
