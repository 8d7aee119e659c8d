"""The grid of positions that a network's features stand on."""

from typing import NamedTuple


class Grid(NamedTuple):
    """Feature cells of a clip; N = frames * rows * cols positions, counted in (t, y, x) order."""

    frames: int
    rows: int
    cols: int

    @property
    def cells(self) -> int:
        """N, the number of positions."""
        return self.frames * self.rows * self.cols
