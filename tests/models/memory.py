"""How much memory one forward of a block takes, measured in a process of its own.

``python memory.py none gaussian`` prints one JSON line, for keys pooled so and these functions:
pairwise function -> MB of peak over what was there before (weights, input, libraries).
"""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
CHANNELS, FRAMES, ROWS, COLS = 512, 32, 28, 28
FUNCTIONS = ("dot_product", "concatenation", "embedded_gaussian", "gaussian")


def peak_bytes():
    """Return the most memory that this process ever had at once."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forward_bytes(function, pooling):
    """Return by how much a forward raises the peak, after a small one that warms up."""
    import torch

    from models.blocks.nonlocal_block import NonLocalBlock
    from models.specs.block import NonLocalSpec

    torch.set_num_threads(1)
    with torch.no_grad():
        block = NonLocalBlock(CHANNELS, NonLocalSpec(function, pool_keys=pooling)).eval()
        block(torch.randn(1, CHANNELS, 2, 5, 7))
        x = torch.randn(1, CHANNELS, FRAMES, ROWS, COLS)
        before = peak_bytes()
        block(x)
    return peak_bytes() - before


def in_a_child(function, pooling):
    """Return what forward_bytes says in a forked process, whose peak starts afresh."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(forward_bytes(function, pooling)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return int(text)


def forward_megabytes(pooling, functions=FUNCTIONS):
    """Return function -> MB over the input, each in a fresh process."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, __file__, pooling, *functions],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=ROOT,
    )
    return json.loads(run.stdout)


if __name__ == "__main__":
    import torch  # noqa: F401 (loaded once, before the forks)

    import models.blocks.nonlocal_block  # noqa: F401

    used = {name: in_a_child(name, sys.argv[1]) / 1e6 for name in sys.argv[2:]}
    sys.stdout.write(json.dumps(used))
