"""How much memory the server has, and what it gives back."""

import ctypes
import gc
import os
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


def give_back() -> None:
    """Collect what nobody refers to, and return free memory to the system.

    What is left is not looked at again until the next call: Streamlit collects behind every run of
    a page, and would walk all of torch each time, with every other run waiting.
    """
    for let_go in LETTING_GO:
        let_go()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    with suppress(OSError, AttributeError):  # only glibc keeps what was freed
        ctypes.CDLL(None).malloc_trim(0)
