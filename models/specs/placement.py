"""Where attention blocks are: after which residual unit of which stage."""

from typing import NamedTuple

from errors import SpecError
from models.specs.lite import LiteName, lite_units
from models.specs.network import RESNET_UNITS, LitePlacementName, PlacementName


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


_TEN: dict[int, tuple[tuple[int, ...], tuple[int, ...]]] = {
    # Every unit of R50's res3 and res4 (Wang et al. 2018, Table 2c); the deeper ones as gluon-cv.
    50: ((0, 1, 2, 3), (0, 1, 2, 3, 4, 5)),
    101: ((0, 1, 2, 3), (2, 6, 10, 14, 18, 22)),
    152: ((1, 3, 5, 7), (5, 11, 17, 23, 29, 35)),
}


def _in_two_stages(units: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[Place, ...]:
    in_res3, in_res4 = units
    return tuple(Place(3, u) for u in in_res3) + tuple(Place(4, u) for u in in_res4)


def places(depth: int, placement: PlacementName | tuple[str, ...]) -> tuple[Place, ...]:
    """Return where the blocks of a ResNet-``depth`` are, in the order they are passed.

    ``1`` is on res4 right before its last unit (Yue et al. 2018, sec. 4.1, and their code);
    ``1-after`` after the last unit of res4; ``5`` two on res3 and three on res4; ``10`` four and
    six. An explicit tuple of labels is taken as it is; SpecError when the network lacks one.
    """
    if isinstance(placement, tuple):
        return tuple(sorted({_place(depth, label) for label in placement}))
    last = RESNET_UNITS[depth][2] - 1
    tables = {"5": _FIVE, "10": _TEN}
    if placement in tables:
        if depth not in tables[placement]:
            raise SpecError(
                f"{placement!r} is not a placement of ResNet-{depth}; it is defined for "
                "50, 101 and 152. Give explicit places instead."
            )
        return _in_two_stages(tables[placement][depth])
    single = {"none": (), "1": (Place(4, last - 1),), "1-after": (Place(4, last),)}
    return single[placement]


def _place(depth: int, label: object) -> Place:
    stage, _, unit = str(label).removeprefix("res").partition(".")
    units = RESNET_UNITS[depth]
    if stage in {"2", "3", "4", "5"} and unit.isdecimal() and int(unit) < units[int(stage) - 2]:
        return Place(int(stage), int(unit))
    raise SpecError(
        f"{label!r} is not a place of ResNet-{depth}; use one of "
        f"{', '.join(f'res{s}.0 to res{s}.{n - 1}' for s, n in enumerate(units, start=2))}."
    )


class LitePlace(Place):
    """After unit ``unit`` (counted from 0) of an EfficientNet-Lite; its stage is always 0."""

    @property
    def label(self) -> str:
        """Name shown to people, e.g. unit14."""
        return f"unit{self.unit}"

    @property
    def key(self) -> str:
        """Name in a state dict."""
        return self.label


def lite_places(
    name: LiteName, placement: LitePlacementName | tuple[str, ...]
) -> tuple[LitePlace, ...]:
    """Return where the blocks of an EfficientNet-Lite stand, in the order they are passed.

    ``1`` is after the last unit of stride 16. ``5`` is two after the last units of stride 8 and
    three after every other unit of stride 16, counted from its last, as the papers spread them over
    res3 and res4. An explicit tuple of labels is taken as it is; SpecError when the network lacks
    one.
    """
    units = lite_units(name)
    if isinstance(placement, tuple):
        return tuple(sorted({_lite_place(label, len(units)) for label in placement}))
    at = {s: [n for n, unit in enumerate(units) if unit.total_stride == s] for s in (8, 16)}
    rows = {"none": (), "1": at[16][-1:], "5": (*at[8][-2:], *at[16][-5::2])}
    return tuple(LitePlace(0, unit) for unit in rows[placement])


def _lite_place(label: object, count: int) -> LitePlace:
    prefix, number = str(label)[:4], str(label)[4:]
    if prefix == "unit" and number.isdecimal() and int(number) < count:
        return LitePlace(0, int(number))
    raise SpecError(f"{label!r} is not a place; this EfficientNet has unit0 to unit{count - 1}.")
