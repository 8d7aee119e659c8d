"""How fresh backbones are filled."""

from torch import nn


def fill_convolutions(network: nn.Module) -> None:
    """Fill every convolution as He et al. (2015), their biases with zero."""
    for module in network.modules():
        # An outline on the meta device has nothing to fill; asking would import torch's compiler.
        if isinstance(module, nn.Conv2d | nn.Conv3d) and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
