"""The EfficientNet-Lite trunks as tables: which units, how wide (Tan & Le 2019, Table 1; the Lite
definition leaves out squeeze-and-excitation and keeps stem, first, last unit and head as they are).
"""

import math
from typing import Literal, NamedTuple

LiteName = Literal["lite0", "lite1", "lite2"]

STEM_CHANNELS, HEAD_CHANNELS = 32, 1280

_FACTORS: dict[str, tuple[float, float]] = {
    "lite0": (1.0, 1.0),
    "lite1": (1.0, 1.1),
    "lite2": (1.1, 1.2),
}
"""Width and depth factor of each member."""

_STAGES = (
    # repeats, kernel, stride, expansion, output channels, before scaling
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class UnitShape(NamedTuple):
    """One inverted residual unit; ``total_stride`` is that of its output against the picture."""

    kernel: int
    stride: int
    expansion: int
    channels: int
    out: int
    total_stride: int


def _scaled(channels: int, width: float) -> int:
    """Return the channels at a width factor: a multiple of 8 that is at least 90 % of it."""
    wanted = channels * width
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def lite_units(name: LiteName) -> tuple[UnitShape, ...]:
    """Return the units of a member in the order they are passed: 16 for lite0, 21 for the others.

    At 224 px, units with ``total_stride`` 16 have 14 x 14 cells.
    """
    width, depth = _FACTORS[name]
    units: list[UnitShape] = []
    channels, total = STEM_CHANNELS, 2
    for index, (repeats, kernel, stride, expansion, base) in enumerate(_STAGES):
        out = _scaled(base, width)
        fixed = index in (0, len(_STAGES) - 1)
        for unit in range(repeats if fixed else math.ceil(repeats * depth)):
            step = stride if unit == 0 else 1
            total *= step
            units.append(UnitShape(kernel, step, expansion, channels, out, total))
            channels = out
    return tuple(units)
