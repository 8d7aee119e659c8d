"""A ResNet as the trunk of a detector: its stages are given out, and there is no classifier."""

from torch import Tensor, nn

from models.backbones.resnet import AttentionResNet, Folded
from models.specs.network import ModelSpec
from models.specs.placement import Place


class DetectionTrunk(AttentionResNet):
    """(B, 3, T, H, W) -> features of stages, each (B*T, C, H, W)."""

    def __init__(self, spec: ModelSpec) -> None:
        super().__init__(spec)
        self.fc = nn.Identity()

    def end(self, stage: int) -> Place:
        """Return the last place of res``stage``."""
        layers = (self.layer1, self.layer2, self.layer3, self.layer4)
        return Place(stage, len(layers[stage - 2]) - 1)

    def stages(self, clip: Tensor, last: int = 5) -> list[Tensor]:
        """Return what leaves res2 up to res``last``, blocks passed, finest first."""
        on_way, found = self._stem(clip), []
        for stage in range(2, last + 1):
            on_way = self._run(on_way, self.end(stage - 1) if stage > 2 else None, self.end(stage))
            found.append(on_way.features)
        return found

    def res5(self, features: Tensor) -> Tensor:
        """Run res5 on (R, C, h, w) that were pooled from res4, each of the R by itself."""
        return self._run(Folded(features, 1), self.end(4), self.end(5)).features
