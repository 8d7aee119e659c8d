"""What a session keeps of its work, bounded by bytes: captures, sampled clips."""

from collections.abc import Callable, Hashable
from threading import Condition
from typing import Generic, TypeVar

T = TypeVar("T")
_LOOK_EVERY_S = 0.2


class Kept(Generic[T]):
    """The last results by key, as many as ``most_bytes`` hold and ``most`` at the most; what was
    not used for longest goes first, the last one stays. Threads may share it."""

    def __init__(self, size: Callable[[T], int], most_bytes: int, most: int) -> None:
        self._size, self._most_bytes, self._most = size, most_bytes, most
        self._held: dict[Hashable, T] = {}
        self._making: set[Hashable] = set()
        self._lock = Condition()

    def get(self, key: Hashable) -> T | None:
        """Return what is kept under a key, or None."""
        with self._lock:
            if key not in self._held:
                return None
            found = self._held[key] = self._held.pop(key)
            return found

    def keep(self, key: Hashable, value: T) -> T:
        """Keep a value; return it."""
        with self._lock:
            self._held.pop(key, None)
            self._held[key] = value
            while len(self._held) > 1 and self._is_over():
                del self._held[next(iter(self._held))]
        return value

    def once(self, key: Hashable, make: Callable[[], T], look: Callable[[], None]) -> T:
        """Return what is kept under a key, or make and keep it; what another thread is making is
        waited for. ``look`` is called while it is, and whatever it raises ends the waiting."""
        while True:
            with self._lock:
                if (found := self.get(key)) is not None:
                    return found
                if key not in self._making:
                    self._making.add(key)
                    break
                self._lock.wait(_LOOK_EVERY_S)
            look()
        try:
            return self.keep(key, make())
        finally:
            with self._lock:
                self._making.discard(key)
                self._lock.notify_all()

    @property
    def last(self) -> T | None:
        """What was kept or asked for last; None where nothing is kept."""
        with self._lock:
            return self._held[next(reversed(self._held))] if self._held else None

    @property
    def nbytes(self) -> int:
        """Bytes of all that is kept."""
        return sum(self._size(value) for value in self._held.values())

    def __len__(self) -> int:
        return len(self._held)

    def _is_over(self) -> bool:
        return len(self._held) > self._most or self.nbytes > self._most_bytes
