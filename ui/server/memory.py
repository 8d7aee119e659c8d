"""How much memory the server has, and what it gives back."""

import ctypes
import gc
import os
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

from errors import MachineError
from ui.server import settings

_PAGE = os.sysconf("SC_PAGE_SIZE")
_SHARE = 0.75
LETTING_GO: list[Callable[[], None]] = []
"""What drops what nobody needs any more, before free memory is given back."""
USUAL_S, LATEST_S, IDLE = 60, 180, 0.1
"""Seconds from one giving back to the next while less than a tenth of a core is used, and else."""
_ARENA_MAX, _ARENAS = -8, 2
"""glibc's name of the setting, and what it is set to."""


def used_mb() -> int:
    """Return the memory of this process in MB; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * _PAGE // 2**20


def most_mb() -> int:
    """Return how much it may have: as set, or three quarters of the machine's."""
    return settings.current().memory_mb or _machine_mb()


@cache
def _machine_mb() -> int:
    return int(os.sysconf("SC_PHYS_PAGES") * _PAGE * _SHARE / 2**20)


def check() -> None:
    """Refuse new work while the server is over its limit; MachineError."""
    if used_mb() <= most_mb():
        return
    give_back()
    if used_mb() > most_mb():
        raise MachineError(
            f"The server is at its limit of {most_mb():,} MB of memory; close what you no longer "
            "need, and try again in a minute."
        )


def settle() -> None:
    """Let threads share few arenas of memory: each keeps what was freed in it."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, _ARENAS)


class Times:
    """When memory is given back, looked at every so many seconds: while pages run, everybody would
    wait for it, so that it is put off until little is done, for a while."""

    def __init__(self, every_s: float) -> None:
        self._every, self._looks, self._used = every_s, 0, time.process_time()

    def is_due(self) -> bool:
        """Tell whether it is time, once a look."""
        used, self._used = self._used, time.process_time()
        idle = self._used - used < IDLE * self._every
        self._looks += 1
        due = self._looks * self._every >= (USUAL_S if idle else LATEST_S)
        self._looks *= not due
        return due


def set_aside() -> None:
    """Keep all that there is now from being walked for garbage until memory is given back.

    Streamlit collects behind every run of a page, and would walk all of torch each time, with every
    other run waiting.
    """
    gc.freeze()


def give_back() -> None:
    """Collect what nobody refers to, and return free memory to the system; set aside the rest."""
    for let_go in LETTING_GO:
        let_go()
    gc.unfreeze()
    gc.collect()
    set_aside()
    with suppress(OSError, AttributeError):  # only glibc keeps what was freed
        ctypes.CDLL(None).malloc_trim(0)
