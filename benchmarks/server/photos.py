"""What reading a photo in a child process adds to reading it in the server's own."""

import io
from collections.abc import Iterator
from statistics import median

import numpy as np
from PIL import Image

from benchmarks.timing import in_turns
from ui.isolation import given, media
from viz.media import footage

SIZES = ((1224, 816), (4240, 2832))
"""Width and height of a photo of 1 megapixel and of one of 12."""
ROUNDS, GOAL_MS = 15, 10


def photo(width: int, height: int) -> bytes:
    """Return a JPEG of soft colours with some grain, as heavy as a camera's."""
    draw = np.random.default_rng(width)
    small = draw.integers(0, 255, (24, 36, 3), np.uint8)
    soft = np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))
    grain = draw.integers(-9, 10, soft.shape, np.int16)
    file = io.BytesIO()
    Image.fromarray((soft + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def line(width: int, height: int) -> str:
    """Return what was measured of a photo of this size, each way in turns; the median of the
    differences of neighbours is what counts, as both meet the same load."""
    content = photo(width, height)
    runs = {
        "here": lambda: footage.read(content, "a.jpg").take((0,)).frames.max(),
        "child": lambda: media.read(content, "a.jpg").take((0,)).frames.max(),
    }
    times = in_turns(runs, ROUNDS)
    added = median(b - a for a, b in zip(times["here"], times["child"], strict=True))
    return (
        f"photo of {width * height / 1e6:.0f} megapixels ({len(content) / 2**20:.1f} MB): read in "
        f"this process {1000 * median(times['here']):.0f} ms, by a child {1000 * added:+.1f} ms "
        f"(goal: {GOAL_MS} ms more at the most)"
    )


def report() -> Iterator[str]:
    """Yield the lines of this suite."""
    try:
        for size in SIZES:
            yield line(*size)
    finally:
        given.pool().close()
