"""Weights of a library's network, downloaded by a process of its own: it can be watched and
stopped, which the libraries' own functions cannot.

    python -m models.zoo.wrapped.libraries.fetch timm:NAME
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from errors import AttentionVizError, MachineError
from models.zoo.wrapped.libraries import registry

_ROOT = Path(__file__).parents[4]
_LOOK_EVERY_S = 0.25
_STOPPED_IN_S = 5


def fetch(name: str, told: Callable[[int], None]) -> None:
    """Download the weights of a network, by its library, into the library's own cache.

    ``told`` is called several times a second with the bytes that have come; what it raises ends
    the download. MachineError in one line where the weights cannot be had.
    """
    began = time.time()
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(_command(name), cwd=_ROOT, **pipes) as process:
        try:
            while process.poll() is None:
                told(_come_since(began))
                time.sleep(_LOOK_EVERY_S)
        finally:
            _stop(process)
        said = process.stderr.read().strip().splitlines()
    if process.returncode:
        raise MachineError(said[-1] if said else f"The download of {name[:120]} ended early.")


def _command(name: str) -> list[str]:
    return [sys.executable, "-m", "models.zoo.wrapped.libraries.fetch", name]


def _stop(process: subprocess.Popen) -> None:
    """End a process that still runs."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_STOPPED_IN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _come_since(began: float) -> int:
    """Return the bytes of the files in the caches that were written since a time."""
    sizes = 0
    for path in _cached():
        try:
            found = path.stat()
        except OSError:  # renamed in the meantime
            continue
        sizes += found.st_size if found.st_mtime >= began else 0
    return sizes


def _cached() -> Iterable[Path]:
    from huggingface_hub import constants  # imported late: with the library that needs it

    yield from Path(constants.HF_HUB_CACHE).glob("models--*/blobs/*")
    yield from (Path(torch.hub.get_dir()) / "checkpoints").glob("*")


def main(name: str) -> int:
    """Download, without a word; print one line where it fails."""
    try:
        registry.parts_of(name)
    except AttentionVizError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
