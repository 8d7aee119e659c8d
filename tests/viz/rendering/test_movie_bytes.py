"""The same movie is the same bytes, whatever was in memory before."""

import os
import platform
import subprocess
import sys

import pytest

from tests.paths import ROOT

pytestmark = pytest.mark.slow

PROGRAM = """
import hashlib, sys
import numpy as np
from viz.rendering import movie_files

class Blocks:
    held, references, shape = [0.1, 0.2, 0.3, 0.1, 0.1], {0}, (338, 602)

    def picture(self, index):
        tiles = np.random.default_rng(7).integers(0, 255, (44, 77, 3), dtype=np.uint8)
        moved = np.roll(tiles, index, 1)
        return np.kron(moved, np.ones((8, 8, 1), np.uint8))[:338, :602].copy()

made = Blocks()
content = movie_files.KINDS[sys.argv[1]].write(made, movie_files.pictures(made))
print(hashlib.sha256(content).hexdigest())
"""


def digest(kind: str, filled_with: str) -> str:
    """Return the hash of a movie made while new memory is filled with a byte (glibc does that)."""
    environment = {**os.environ, "MALLOC_PERTURB_": filled_with}
    command = [sys.executable, "-c", PROGRAM, kind]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout.strip()


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc fills new memory")
@pytest.mark.parametrize("kind", ["mp4", "gif", "webp"])
def test_bytes_do_not_depend_on_what_was_in_memory(kind):
    assert len({digest(kind, filled_with) for filled_with in ("1", "255", "85")}) == 1
