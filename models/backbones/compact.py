"""CompactSpec -> network: one table."""

from models.backbones.image_network import ImageNetwork
from models.backbones.mobilenet import MobileNet
from models.backbones.preresnet import PreResNet
from models.backbones.squeezenet import SqueezeNet
from models.backbones.wide_resnet import WideResNet
from models.specs.network import CompactSpec

_FAMILIES: dict[str, type[ImageNetwork]] = {
    "mobilenet": MobileNet,
    "squeezenet": SqueezeNet,
    "preresnet": PreResNet,
    "wrn": WideResNet,
}


def compact(spec: CompactSpec) -> ImageNetwork:
    """Return a fresh network of the family; SpecError for a size that the family does not have."""
    return _FAMILIES[spec.family](spec)
