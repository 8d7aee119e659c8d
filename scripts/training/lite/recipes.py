"""What each network on the EfficientNet-Lite2 trunk is, and how it is trained: one row each."""

from dataclasses import dataclass, replace
from typing import Literal

from models.specs.block import BlockSpec, CGNLSpec, NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import LITE_MEAN, LITE_STD, LiteSpec, Preprocessing

NL = NonLocalSpec("dot_product", scale=False, bias=True)
"""The CGNL paper's NL block: dot products, so that a row can be cut at 0.7."""
NL_SOFTMAX = NonLocalSpec("embedded_gaussian", scale=False, bias=True)
CGNL = CGNLSpec(groups=8, reduction=1)

BIRDS, IMAGENET = 100, 1000
LAST_UNIT, FRAMES = 20, 8


@dataclass(frozen=True)
class LiteRecipe:
    """One network and every knob of its training.

    Units up to ``frozen`` stay the trunk's; features are read from the cache after ``frozen`` or
    the deepest cached unit before it. ``trained`` is the last unit that learns. Rates are of AdamW:
    of the classifier and the block's g and W_z (``rate``), of the block's norm (``norm_rate``), of
    units (``unit_rate``, after the first ``block_first`` of the run), of theta and phi
    (``projection_rate``). ``gain`` is what the block adds at the start, over its input's deviation:
    that is near 7 at unit 14, so a norm that starts at zero would hardly matter in a short run.
    ``effect`` weighs the loss of what the block adds to the logits
    (counterfactual attention learning, Rao et al. 2021); ``erased`` is the share of training
    features that lose a rectangle before the block. Birds are learnt from labels, everything else
    from the trunk's own answers (distillation). ``follow`` weighs a clip network's loss of where
    the point under a reference is in the other frames.
    """

    title: str
    data: Literal["birds", "imagenet", "clips"]
    block: BlockSpec | None = None
    placement: str = "none"
    gate: CGDSpec | None = None
    frozen: int = 14
    trained: int = LAST_UNIT
    views: int = 18_000
    polish: int = 0
    block_first: float = 0.2
    gain: float = 0.25
    rate: float = 3e-3
    norm_rate: float = 2e-2
    unit_rate: float = 3e-4
    projection_rate: float = 3e-5
    effect: float = 0.3
    follow: float = 0.0
    erased: float = 0.3
    smoothing: float = 0.1
    dropout: float = 0.2
    weight_decay: float = 0.05
    warm_up: float = 0.05
    clip: float = 5.0
    batch: int = 32
    deviation: float = 4.0
    seed: int = 0

    @property
    def frames(self) -> int:
        """Frames of one view: 8 for clips."""
        return FRAMES if self.data == "clips" else 1

    @property
    def spec(self) -> LiteSpec:
        """The network to build; pictures of 224 px, as its features were cached."""
        classes = BIRDS if self.data == "birds" else IMAGENET
        stride = 4 if self.frames > 1 else 1
        prep = Preprocessing(224, 256, LITE_MEAN, LITE_STD, frames=self.frames, frame_stride=stride)
        return LiteSpec(
            "lite2",
            self.block,
            self.placement,
            classes,
            self.dropout,
            prep,
            self.gate,
        )


_BIRDS_NL = LiteRecipe(
    "100 bird species, 1 NL", "birds", NL, "1", views=42_000, polish=10_000, effect=0.15
)
_IMAGENET_NL = LiteRecipe(
    "1,000 ImageNet classes, 1 NL",
    "imagenet",
    NL,
    "1",
    trained=16,
    views=12_000,
    gain=0.1,
    effect=0.05,
    dropout=0.0,
)
_CLIP_NL = LiteRecipe(
    "1,000 ImageNet classes in clips of 8 frames, 1 space-time NL",
    "clips",
    NL,
    "1",
    trained=16,
    views=1_600,
    gain=0.1,
    effect=0.05,
    batch=4,
    projection_rate=3e-4,
    follow=0.5,
    dropout=0.0,
)

RECIPES: dict[str, LiteRecipe] = {
    "e2-birds": LiteRecipe("100 bird species, linear probe", "birds", trained=14, frozen=20),
    "e2-birds-nl": _BIRDS_NL,
    "e2-birds-cgnl": replace(_BIRDS_NL, title="100 bird species, 1 CGNL", block=CGNL),
    "e2-birds-nl5": replace(
        _BIRDS_NL,
        title="100 bird species, 5 NL",
        placement="5",
        frozen=5,
        views=12_000,
        polish=3_000,
        effect=0.0,
        gain=0.1,
    ),
    "e2-birds-cgnl5": replace(
        _BIRDS_NL,
        title="100 bird species, 5 CGNL",
        block=CGNL,
        placement="5",
        frozen=5,
        views=12_000,
        polish=3_000,
        effect=0.0,
        gain=0.1,
    ),
    "e2-birds-cgd": LiteRecipe(
        "100 bird species, CGD gates in every unit",
        "birds",
        gate=CGDSpec(position="conv2"),
        frozen=10,
        effect=0.0,
    ),
    "e2-nl": _IMAGENET_NL,
    "e2-cgnl": replace(_IMAGENET_NL, title="1,000 ImageNet classes, 1 CGNL", block=CGNL),
    "e2-nl-softmax": replace(
        _IMAGENET_NL, title="1,000 ImageNet classes, 1 NL with softmax", block=NL_SOFTMAX
    ),
    "e2-clip-nl": _CLIP_NL,
    "e2-clip-cgnl": replace(
        _CLIP_NL,
        title="1,000 ImageNet classes in clips of 8 frames, 1 space-time CGNL",
        block=CGNL,
    ),
}
"""Name of the bundled file -> how it is made."""
