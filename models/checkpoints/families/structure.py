"""What tensors under our names say of the network they fill: depth, width, blocks, classes."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

from errors import CheckpointError, SpecError
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import BASIC_DEPTHS, RESNET_UNITS, ModelSpec, Units
from models.specs.placement import Place, places

Tensors = Mapping[str, Tensor]


def depth_of(tensors: Tensors, file_name: str) -> int:
    """Return the ResNet depth whose units the tensors fill; CheckpointError for any other."""
    counts = tuple(len(_units(tensors, layer)) for layer in range(1, 5))
    basic = "layer1.0.conv3.weight" not in tensors
    for depth, units in RESNET_UNITS.items():
        if units == counts and (depth in BASIC_DEPTHS) == basic:
            return depth
    raise CheckpointError(
        f"{file_name} holds {'basic' if basic else 'bottleneck'} units {counts}; ResNets with "
        f"{', '.join(f'{d}: {u}' for d, u in RESNET_UNITS.items())} are read. Nothing was loaded."
    )


def _units(tensors: Tensors, layer: int) -> set[int]:
    found = (re.match(rf"layer{layer}\.(\d+)\.", key) for key in tensors)
    return {int(match[1]) for match in found if match}


def stem_frames(tensors: Tensors) -> int:
    """Return the frames of the first kernel: 1 for images."""
    weight = tensors["conv1.weight"]
    return weight.shape[2] if weight.ndim == 5 else 1


def inflated(tensors: Tensors) -> Units:
    """Return the units whose first convolution reaches over time."""
    return chosen_units(
        key for key, value in tensors.items() if value.ndim == 5 and value.shape[2] > 1
    )


def reaches_over_time(tensors: Tensors) -> bool:
    """Tell whether any kernel reaches over more than one frame."""
    return any(value.ndim == 5 and value.shape[2] > 1 for value in tensors.values())


def chosen_units(keys: Iterable[str]) -> Units:
    """Return the units whose ``layerL.i.conv1.weight`` is among the keys."""
    found = [re.fullmatch(r"layer(\d)\.(\d+)\.conv1\.weight", key) for key in keys]
    units = {(int(match[1]), int(match[2])) for match in found if match}
    return tuple(tuple(sorted(u for at, u in units if at == layer)) for layer in range(1, 5))


def placement(tensors: Tensors, depth: int) -> str | tuple[str, ...]:
    """Return where the blocks are: a name in models.specs.placement where there is one."""
    found = {re.match(r"blocks\.res(\d)_(\d+)\.", key) for key in tensors} - {None}
    here = tuple(sorted({Place(int(match[1]), int(match[2])) for match in found}))
    for name in ("none", "1", "1-after", "5", "10"):
        try:
            if places(depth, name) == here:
                return name
        except SpecError:
            continue
    return tuple(place.label for place in here)


def nonlocal_facts(tensors: Tensors, prefix: str) -> dict:
    """Return what weights show of a NonLocalSpec; ``function`` is left out where they do not.

    ``prefix`` is that of one block, "blocks.res4_4.".
    """
    of = {key.removeprefix(prefix): value for key, value in tensors.items()}
    expand, g = tensors[prefix + "expand.weight"], tensors[prefix + "projection.g.weight"]
    options = {
        "reduction": expand.shape[0] // g.shape[0],
        "bias": "projection.g.bias" in of,
        "expand_bias": "expand.bias" in of,
        "norm": "batch" if "norm.weight" in of else "none",
    }
    if "projection.theta.weight" not in of:
        options["function"] = "gaussian"
    elif "projection.query_weight.weight" in of:
        options["function"] = "concatenation"
    return options


def cgnl_facts(tensors: Tensors, prefix: str) -> dict:
    """Return what weights show of a CGNLSpec: groups and reduction."""
    expand = tensors[prefix + "expand.weight"]
    inner = tensors[prefix + "projection.g.weight"].shape[0]
    return {"groups": inner // expand.shape[1], "reduction": expand.shape[0] // inner}


def first_block(tensors: Tensors) -> str | None:
    """Return the prefix of the first block, "blocks.res3_1.", or None."""
    found = sorted(match[0] for key in tensors if (match := re.match(r"blocks\.\w+\.", key)))
    return found[0] if found else None


def classes_of(tensors: Tensors) -> int:
    """Return how many classes a ResNet's own classifier tells apart; 0 without one."""
    return tensors["fc.weight"].shape[0] if "fc.weight" in tensors else 0


def foreign_head(tensors: Tensors) -> str:
    """Return why ``fc`` is not the plain classifier of a ResNet; empty where it is, or is not
    there."""
    if "fc.weight" not in tensors:
        return "a part of another head" if "fc.bias" in tensors else ""
    if "fc.bias" not in tensors:
        return "a head without a bias; maps need none"
    last = tensors.get("layer4.0.conv3.weight", tensors.get("layer4.0.conv2.weight"))
    weight = tensors["fc.weight"]
    if last is None or weight.ndim < 2 or weight.shape[1] == last.shape[0]:
        return ""
    return f"a head of {weight.shape[1]} features, not of the {last.shape[0]} of res5"


def bottleneck(tensors: Tensors) -> tuple[int, int]:
    """Return how much wider a bottleneck is inside than usual, and the groups of its 3 x 3."""
    if "layer1.0.conv3.weight" not in tensors:
        return 1, 1
    inner = tensors["layer1.0.conv1.weight"].shape[0]
    return inner // tensors["conv1.weight"].shape[0], inner // tensors[
        "layer1.0.conv2.weight"
    ].shape[1]


def resnet_spec(
    tensors: Tensors, file_name: str, block: NonLocalSpec | CGNLSpec | None, **implied: object
) -> ModelSpec:
    """Return the spec of the ResNet that tensors fill; ``implied`` is what they do not show."""
    depth = depth_of(tensors, file_name)
    widening, groups = bottleneck(tensors)
    return ModelSpec(
        depth=depth,
        widening=widening,
        groups=groups,
        base_width=tensors["conv1.weight"].shape[0],
        block=block,
        placement=placement(tensors, depth),
        num_classes=classes_of(tensors),
        norm="batch" if "bn1.running_mean" in tensors else "affine",
        **implied,
    )
