"""What a network is made of, as values: enough to build it, describe it and prepare its input."""

from dataclasses import asdict, dataclass, field
from typing import Literal, get_args

from errors import SpecError

PairwiseName = Literal["gaussian", "embedded_gaussian", "dot_product", "concatenation"]
KernelName = Literal["dot_product", "embedded_gaussian", "gaussian_rbf"]
PlacementName = Literal["none", "1", "1-after", "5"]

RESNET_UNITS: dict[int, tuple[int, int, int, int]] = {
    50: (3, 4, 6, 3),
    101: (3, 4, 23, 3),
    152: (3, 8, 36, 3),
}
"""Residual units in res2..res5 for each depth (He et al. 2016, Table 1)."""

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


MAX_BASE_WIDTH = 512
MAX_CLASSES = 100_000


def _within(what: str, value: object, low: float, high: float, kind: type = int) -> None:
    """Refuse a number of another type or outside low..high: specs also come from foreign files."""
    numeric = kind if kind is int else (int, float)
    if isinstance(value, bool) or not isinstance(value, numeric) or not low <= value <= high:
        what_kind = "whole number" if kind is int else "number"
        raise SpecError(f"{what} {value!r} came; use a {what_kind} from {low:g} to {high:g}.")


def _one_of(what: str, value: object, accepted: tuple) -> None:
    if value not in accepted:
        raise SpecError(
            f"{what} {value!r} is not known; use one of {', '.join(map(str, accepted))}."
        )


@dataclass(frozen=True)
class NonLocalSpec:
    """A non-local block (Wang et al. 2018, eqs. 1-6).

    ``scale`` divides theta . phi by sqrt(C'); ``pool_keys`` max-pools phi and g by 2 in space, so
    that keys live on a grid of half the height and width.
    """

    function: PairwiseName = "embedded_gaussian"
    scale: bool = True
    pool_keys: bool = False
    reduction: int = 2
    bias: bool = False

    def __post_init__(self) -> None:
        _one_of("Pairwise function", self.function, get_args(PairwiseName))
        _within("Channel reduction", self.reduction, 1, 64)


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
        _one_of("CGNL kernel", self.kernel, get_args(KernelName))
        _within("Channel groups", self.groups, 1, 4096)
        _within("Channel reduction", self.reduction, 1, 64)
        _within("RBF gamma", self.gamma, 0, 1000, float)
        if self.order is not None:
            _within("Taylor order (none for the exact kernel)", self.order, 1, 12)


BlockSpec = NonLocalSpec | CGNLSpec


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become input: values in [0, 1], minus ``mean``, over ``std``.

    ``size`` is the crop side in pixels at which the accuracy was measured; ``resize`` the short
    side before that crop. ``stride`` is the network's total down-sampling.
    """

    size: int = 224
    resize: int = 256
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    stride: int = 32

    def __post_init__(self) -> None:
        _within("Input stride", self.stride, 1, 1024)
        _within("Input size", self.size, self.stride, 8192)
        _within("Size before the crop", self.resize, self.size, 8192)
        for what, triple in (("mean", self.mean), ("deviation", self.std)):
            if len(triple) != 3:
                raise SpecError(f"Channel {what} {triple!r} came; use three numbers, R, G, B.")
            for value in triple:
                _within(f"Channel {what}", value, 1e-6 if what == "deviation" else -10, 10, float)


@dataclass(frozen=True)
class ModelSpec:
    """An image network: ResNet depth and width, attention block and where it stands, classes."""

    depth: int = 50
    base_width: int = 64
    block: BlockSpec | None = None
    placement: PlacementName = "none"
    num_classes: int = 1000
    dropout: float = 0.0
    preprocessing: Preprocessing = field(default_factory=Preprocessing)

    def __post_init__(self) -> None:
        _one_of("ResNet depth", self.depth, tuple(RESNET_UNITS))
        _one_of("Placement", self.placement, get_args(PlacementName))
        if (self.block is None) != (self.placement == "none"):
            raise SpecError(
                f"Placement {self.placement!r} came with {'no' if self.block is None else 'a'} "
                "block; "
                "a network without a block has placement 'none', one with a block another."
            )
        _within("Number of classes", self.num_classes, 1, MAX_CLASSES)
        _within("Dropout", self.dropout, 0, 1, float)
        _within("Base width", self.base_width, 8, MAX_BASE_WIDTH)
        if self.base_width % 8:
            raise SpecError(
                f"Base width {self.base_width} came; use a multiple of 8 (the papers use 64)."
            )


_BLOCK_KINDS: dict[str, type] = {"nonlocal": NonLocalSpec, "cgnl": CGNLSpec}


def spec_to_dict(spec: ModelSpec) -> dict:
    """Return ``spec`` as plain JSON values; ``spec_from_dict`` undoes it."""
    plain = asdict(spec)
    if spec.block is not None:
        kind = next(name for name, cls in _BLOCK_KINDS.items() if isinstance(spec.block, cls))
        plain["block"] = {"kind": kind, **plain["block"]}
    return plain


def spec_from_dict(plain: dict) -> ModelSpec:
    """Build the spec that ``spec_to_dict`` wrote; SpecError names an unknown or wrong entry."""
    try:
        fields = dict(plain)
        if fields.get("block") is not None:
            block = dict(fields["block"])
            fields["block"] = _BLOCK_KINDS[block.pop("kind")](**block)
        if "preprocessing" in fields:
            prep = dict(fields["preprocessing"])
            for name in ("mean", "std"):
                if name in prep:
                    prep[name] = tuple(prep[name])
            fields["preprocessing"] = Preprocessing(**prep)
        return ModelSpec(**fields)
    except (TypeError, KeyError, ValueError, AttributeError) as problem:
        raise SpecError(
            "The network description has an entry that is not known or of the wrong type "
            f"({problem}); "
            "write it as models.specs.spec_to_dict does."
        ) from problem
