"""What one forward pass leaves: the factors of every block's maps, never a product."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Lock
from typing import ClassVar, TypeVar

from torch import Tensor

from models.blocks.layout import Grid
from models.detection.detector import Detections
from models.loaded import LoadedModel
from models.specs.placement import Place
from viz.geometry import Geometry
from viz.types import moment

T = TypeVar("T")


class BlockCapture:
    """What one block left. Each map kind has its own subclass, a frozen dataclass; all have these.

    ``kind`` is the name of the map kind; ``place`` where an attention block stands, else None;
    ``query_grid`` and ``key_grid`` the cells of references and of maps; ``block_input``
    (1, C, T, H, W) what the block was given, or None where it is not kept; ``geometry`` where its
    cells lie, of a block that sees a part of the picture only.
    """

    kind: ClassVar[str]
    place: Place | None
    query_grid: Grid
    key_grid: Grid
    block_input: Tensor | None
    geometry: Geometry | None = None

    @property
    def label(self) -> str:
        """The block's name in the network: res4.4."""
        return self.place.label

    @property
    def tensors(self) -> list[Tensor]:
        """Every tensor that it holds."""
        return [part for part in vars(self).values() if isinstance(part, Tensor)]


class Memory:
    """The last results of some work, by key, at most ``most`` of them. Threads may share it."""

    def __init__(self, most: int = 128) -> None:
        self._most, self._lock = most, Lock()
        self._kept: dict[Hashable, object] = {}

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what ``make`` gave for this key; the longest unused result goes first."""
        with self._lock:
            if key in self._kept:
                found = self._kept[key] = self._kept.pop(key)
                return found
        made = make()
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return made

    def values(self) -> tuple[object, ...]:
        """Return what is kept."""
        with self._lock:
            return tuple(self._kept.values())


@dataclass(frozen=True, eq=False)
class Capture:
    """What one forward pass of ``model`` left: blocks by label in the order they were passed,
    logits (classes,; none where the network has no classes), geometry, and the number of
    ``frames`` of the clip.

    ``detections`` are what a detector found in each frame, none for classifiers; the logits of a
    detector are the logarithms of the best score of each label.
    ``memory`` holds maps and derived factors that were asked for, as long as the capture lives.
    """

    blocks: dict[str, BlockCapture]
    logits: Tensor
    geometry: Geometry
    frames: int = 1
    model: LoadedModel | None = None
    detections: tuple[Detections, ...] = ()
    memory: Memory = field(default_factory=Memory, repr=False)

    def moment(self, frame: int, grid: Grid) -> int:
        """Return the moment t of ``grid`` that frame ``frame`` of the clip lies in."""
        return moment(frame, self.frames, grid.frames)

    def geometry_of(self, block: BlockCapture) -> Geometry:
        """Return where the cells of a block lie in the picture."""
        return block.geometry or self.geometry

    @property
    def nbytes(self) -> int:
        """What its factors take, in bytes, those derived from them included."""
        derived = (kept for kept in self.memory.values() if isinstance(kept, BlockCapture))
        blocks = (*self.blocks.values(), *derived)
        # Derived factors share the block's input.
        return sum(part.nbytes for part in {one for block in blocks for one in block.tensors})
