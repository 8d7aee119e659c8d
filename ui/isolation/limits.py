"""What a child may use: set by the child for itself, before it looks at a file."""

import os
import resource
import threading
import time
from pathlib import Path

MOST_RESULT = 9 * 2**30
"""Bytes of one block, of any kind of work."""
_CHECKED_EVERY_S = 1.0
_STATUS = Path("/proc/self/status")
_MUCH = 1 / 3
"""Of what may be used. A picture takes its decoder two allocations or more; the first fits."""
_before = [0, 0, 0]
"""Bytes that the process had before this piece of work and at its peak, and that it may take."""


def settle() -> None:
    """Set what holds for a child's whole life: few files, small results, no dumps of memory; and
    end it with the server, also where that was killed."""
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, 64)
    _lower(resource.RLIMIT_FSIZE, MOST_RESULT)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def start(megabytes: int, seconds: int, result_mb: int) -> None:
    """Allow the next piece of work so much memory and processor time beyond what was used, and
    blocks of so many MB."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    spent = int(used.ru_utime + used.ru_stime) + 1
    _soften(resource.RLIMIT_CPU, spent + seconds)
    _soften(resource.RLIMIT_DATA, _status("VmData") + megabytes * 2**20)
    _soften(resource.RLIMIT_FSIZE, result_mb * 2**20)
    _before[:] = _status("VmSize"), _status("VmPeak"), megabytes * 2**20


def took_much() -> bool:
    """Tell whether this piece of work has used a large part of the memory that it may: decoders
    often take it for damage that they got no more."""
    had, highest, most = _before
    peak = _status("VmPeak")
    return peak > highest and peak - had > _MUCH * most


def _status(name: str) -> int:
    """Return the bytes of a kind of memory that the process has; 0 where that is not told."""
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(name)), 0)


def _lower(which: int, value: int) -> None:
    _soft, hard = resource.getrlimit(which)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(which, (most, most))


def _soften(which: int, value: int) -> None:
    _soft, hard = resource.getrlimit(which)
    resource.setrlimit(which, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_CHECKED_EVERY_S)
    os._exit(1)
