"""What a piece of work costs this process: seconds of its own, and the memory at the peak."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass
class Cost:
    """Seconds of processor time, and MB above what there was before."""

    seconds: float = 0.0
    megabytes: float = 0.0


def _kilobytes(field: str) -> int:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1])


@contextmanager
def measured() -> Iterator[Cost]:
    """Measure the ``with`` body; Linux can be told to forget the peak so far."""
    _CLEAR.write_text("5")
    cost, before, began = Cost(), _kilobytes("VmRSS"), time.process_time()
    try:
        yield cost
    finally:
        cost.seconds = time.process_time() - began
        cost.megabytes = (_kilobytes("VmHWM") - before) / 1024
