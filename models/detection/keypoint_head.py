"""The key point head of Mask R-CNN, with NL blocks in it (Wang et al. 2018, sec. 6.2)."""

from torch import Tensor, nn
from torchvision.models.detection.keypoint_rcnn import KeypointRCNNHeads

from models.blocks.nonlocal_block import NonLocalBlock
from models.specs.block import NonLocalSpec
from models.specs.detection import KEYPOINT_CONVOLUTIONS
from models.specs.placement import Place

WIDTH = 512


class KeypointHead(KeypointRCNNHeads):
    """Eight 3 x 3 convolutions, a block after every second: (R, C, 14, 14) -> (R, 512, 14, 14).

    A block attends inside one region of interest. Keys are torchvision's, blocks beside them.
    """

    def __init__(
        self,
        channels: int,
        spec: NonLocalSpec | None = None,
        places: tuple[Place, ...] = (),
        width: int = WIDTH,
    ) -> None:
        super().__init__(channels, (width,) * KEYPOINT_CONVOLUTIONS)
        self.blocks = nn.ModuleDict({place.key: NonLocalBlock(width, spec) for place in places})

    def forward(self, x: Tensor) -> Tensor:
        for number in range(KEYPOINT_CONVOLUTIONS):
            convolution, relu = self[2 * number], self[2 * number + 1]
            x = relu(convolution(x))
            if f"head{number}" in self.blocks and len(x):
                x = self.blocks[f"head{number}"](x.unsqueeze(2)).squeeze(2)
        return x
