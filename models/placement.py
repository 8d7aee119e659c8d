"""Where attention blocks stand: after which residual unit of which stage."""

from typing import NamedTuple

from models.specs import RESNET_UNITS, PlacementName


class Place(NamedTuple):
    """After unit ``unit`` (counted from 0) of stage res``stage`` (2..5)."""

    stage: int
    unit: int

    @property
    def label(self) -> str:
        """Name shown to people, e.g. res4.4."""
        return f"res{self.stage}.{self.unit}"

    @property
    def key(self) -> str:
        """Name in a state dict, where dots separate modules, e.g. res4_4."""
        return f"res{self.stage}_{self.unit}"


_FIVE: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    # Units of res3 and res4: every other one, as both papers say; R101 as the NL authors' code has
    # it; R152, which neither published with five, by the same spacing.
    50: ((1, 3), (1, 3, 5)),
    101: ((1, 3), (6, 13, 20)),
    152: ((3, 7), (11, 23, 35)),
}


def places(depth: int, placement: PlacementName) -> tuple[Place, ...]:
    """Return where the blocks of a ResNet-``depth`` stand.

    ``1`` is on res4 right before its last unit (Yue et al. 2018, sec. 4.1, and their code);
    ``1-after`` after the last unit of res4; ``5`` two on res3 and three on res4.
    """
    last = RESNET_UNITS[depth][2] - 1
    in_res3, in_res4 = _FIVE[depth]
    table = {
        "none": (),
        "1": (Place(4, last - 1),),
        "1-after": (Place(4, last),),
        "5": tuple(Place(3, u) for u in in_res3) + tuple(Place(4, u) for u in in_res4),
    }
    return table[placement]
