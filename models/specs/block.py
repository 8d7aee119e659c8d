"""Attention blocks after residual units, as values."""

from dataclasses import dataclass
from typing import Literal, get_args

from errors import SpecError
from models.specs.checks import one_of, switch, within

PairwiseName = Literal["gaussian", "embedded_gaussian", "dot_product", "concatenation"]
KernelName = Literal["dot_product", "embedded_gaussian", "gaussian_rbf"]
KeyPooling = Literal["none", "before", "after"]
BlockNorm = Literal["batch", "none"]


@dataclass(frozen=True)
class NonLocalSpec:
    """A non-local block (Wang et al. 2018, eqs. 1-6).

    ``scale`` divides theta . phi by sqrt(C'). ``pool_keys`` max-pools by 2 in space either the
    input of phi and g ("before" their convolutions) or their outputs ("after"), so that keys live
    on a grid of half the height and width. ``bias`` is of theta, phi and g, ``expand_bias`` of
    W_z. ``group_frames`` holds (stage, frames): in that stage frames attend only inside
    consecutive groups of so many.
    """

    function: PairwiseName = "embedded_gaussian"
    scale: bool = True
    pool_keys: KeyPooling = "none"
    reduction: int = 2
    bias: bool = False
    expand_bias: bool = False
    norm: BlockNorm = "batch"
    group_frames: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        one_of("Pairwise function", self.function, get_args(PairwiseName))
        one_of("Pooling of the keys", self.pool_keys, get_args(KeyPooling))
        one_of("Norm of the block", self.norm, get_args(BlockNorm))
        within("Channel reduction", self.reduction, 1, 64)
        for what in ("scale", "bias", "expand_bias"):
            switch(what, getattr(self, what))
        for pair in self.group_frames:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise SpecError(f"{pair!r} is not a frame group; use pairs (stage, frames).")
            within("Stage of grouped frames", pair[0], 2, 5)
            within("Frames of a group", pair[1], 1, 1024)

    def frames_per_group(self, stage: int) -> int | None:
        """Return how many frames attend to each other in res``stage``; None when all do."""
        return dict(self.group_frames).get(stage)


@dataclass(frozen=True)
class CGNLSpec:
    """A compact generalized non-local block (Yue et al. 2018, eqs. 7-13).

    ``order`` is the Taylor order P of the kernel, or None for the exact GNL operator, which is
    quadratic in C'N and meant for small inputs. ``scale`` divides each group's scalar by the root
    of its number of entries; ``l2_normalise`` gives vec(theta) and vec(phi) unit length first.
    """

    kernel: KernelName = "dot_product"
    groups: int = 8
    order: int | None = 3
    gamma: float = 1e-4
    scale: bool = False
    l2_normalise: bool = False
    reduction: int = 2

    def __post_init__(self) -> None:
        one_of("CGNL kernel", self.kernel, get_args(KernelName))
        within("Channel groups", self.groups, 1, 4096)
        within("Channel reduction", self.reduction, 1, 64)
        within("RBF gamma", self.gamma, 0, 1000, float)
        for what in ("scale", "l2_normalise"):
            switch(what, getattr(self, what))
        if self.order is not None:
            within("Taylor order (none for the exact kernel)", self.order, 1, 12)


@dataclass(frozen=True)
class ResidualSpec:
    """The simple residual block that CGNL is compared with (Yue et al. 2018, Fig. 4, Table 3)."""

    reduction: int = 2

    def __post_init__(self) -> None:
        within("Channel reduction", self.reduction, 1, 64)


@dataclass(frozen=True)
class A2Spec:
    """A double attention block (Chen et al. 2018), for the cost tables of the CGD paper."""

    reduction: int = 2

    def __post_init__(self) -> None:
        within("Channel reduction", self.reduction, 1, 64)


@dataclass(frozen=True)
class BAMSpec:
    """A bottleneck attention module (Park et al. 2018), for the cost tables of the CGD paper."""

    reduction: int = 16
    dilation: int = 4

    def __post_init__(self) -> None:
        within("Channel reduction", self.reduction, 1, 64)
        within("Dilation", self.dilation, 1, 64)


@dataclass(frozen=True)
class GlobalContextSpec:
    """A global context block (Cao et al. 2019, GCNet): one set of weights for every position.

    In a ResNet it stands at the end of a unit's branch, before the shortcut is added, as in
    mmdetection's networks ("after_conv3"); elsewhere after the unit. ``reduction`` is C over the
    width inside its transform, 16 or 4 in the published ones.
    """

    reduction: int = 16

    def __post_init__(self) -> None:
        within("Channel reduction", self.reduction, 1, 64)


BlockSpec = NonLocalSpec | CGNLSpec | ResidualSpec | A2Spec | BAMSpec | GlobalContextSpec
BLOCK_KINDS: dict[str, type] = {
    "nonlocal": NonLocalSpec,
    "cgnl": CGNLSpec,
    "residual": ResidualSpec,
    "a2": A2Spec,
    "bam": BAMSpec,
    "global context": GlobalContextSpec,
}
"""Name in files -> spec of a block."""
