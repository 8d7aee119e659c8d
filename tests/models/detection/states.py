"""torchvision's state dicts under our names, and pictures, for the tests of detectors."""

import torch
from torch import Tensor


def ours(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a torchvision R-CNN under our names."""
    pairs = (("backbone.body.", "trunk."), ("backbone.fpn.", "fpn."))

    def name(key: str) -> str:
        for theirs, own in pairs:
            key = key.replace(theirs, own)
        return key

    return {name(key): value for key, value in state.items()}


def filled(network: torch.nn.Module, state: dict[str, Tensor]) -> torch.nn.Module:
    """Fill a network whose blocks are fresh; every other key must be there."""
    left = network.load_state_dict(state, strict=False)
    assert left.unexpected_keys == []
    assert all(".blocks." in f".{key}" for key in left.missing_keys), left.missing_keys
    return network


def shaken(network: torch.nn.Module) -> torch.nn.Module:
    """Give batch norms statistics of their own, so that a wrong epsilon shows."""
    made = torch.Generator().manual_seed(1)
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.copy_(torch.rand(value.shape, generator=made) + 0.5)
        elif name.endswith("running_mean"):
            value.copy_(torch.randn(value.shape, generator=made) * 0.1)
    return network
