"""What a picture or clip may have at most, and the one line that says so: bytes, pixels, frames,
seconds."""

import time
from pathlib import PurePosixPath

from errors import MediaError

MAX_BYTES = 256 * 2**20
MAX_PIXELS = 200_000_000
MAX_DEEP_PIXELS = 64_000_000
"""Of pictures of several values a pixel of more than 8 bits, which are unpacked twice."""
MAX_SHOWN = 40_000_000
"""A picture of more pixels is halved while it is decoded, once or more often."""
MAX_WEBP_PIXELS = 80_000_000
"""Of WebP, whose decoder holds four pictures of 4 bytes a pixel."""
MIN_SIDE = 16
MAX_ASPECT = 32
MAX_CLIP_BYTES = 256 * 2**20
"""Of a clip that is held in memory, as uploads are."""
MAX_FRAMES = 500_000
MAX_IN_TURN = 20_000
"""Frames of animations and stacks: whoever wants one goes through all before it."""
MAX_PIXELS_IN_TURN = 2_000_000_000
"""Pixels of an animation that are composited up to the last frame that is taken."""
MAX_FRAME_PIXELS = 8192 * 4352
MAX_SAMPLE_PIXELS = 160_000_000
"""Frames that are more together are halved while they are decoded, once or more often."""
PATIENCE = 60.0
"""Seconds after which the decoding of one sample is given up."""


def safe_name(name: str) -> str:
    """Return a name fit for display: no folders, no control characters, 80 at most."""
    last = PurePosixPath(name.replace("\\", "/")).name
    return "".join(c for c in last if c.isprintable())[:80] or "picture"


def halvings(width: int, height: int, most: int) -> int:
    """Return the power of two that both sides are divided by, so that ``most`` pixels are left."""
    factor = 1
    while -(-width // factor) * -(-height // factor) > most:
        factor *= 2
    return factor


def check_weight(name: str, size: int, most: int) -> None:
    """Raise MediaError where ``size`` bytes are more than ``most``."""
    if size > most:
        raise MediaError(
            f"{name} has {size / 2**20:.0f} MB; up to {most // 2**20} MB is accepted. Scale "
            "it down first."
        )


def check_size(name: str, width: int, height: int, most: int = MAX_PIXELS) -> None:
    """Raise MediaError where a picture has over ``most`` pixels, or is too small or too long."""
    if width * height > most:
        raise MediaError(
            f"{name} is {width} x {height} pixels; up to {most / 1e6:.3g} million are "
            "accepted. "
            "Scale it down first."
        )
    if min(width, height) < MIN_SIDE or max(width, height) > MAX_ASPECT * min(width, height):
        raise MediaError(
            f"{name} is {width} x {height} pixels; sides of at least {MIN_SIDE} px, at most "
            f"{MAX_ASPECT} times as long as wide, are accepted. Crop or scale it."
        )


def check_length(name: str, frames: int, most: int | None = None) -> None:
    """Raise MediaError where a clip has more frames than ``most`` (None: MAX_FRAMES)."""
    most = MAX_FRAMES if most is None else most
    if frames > most:
        raise MediaError(
            f"{name} has more than {most:,} frames; up to that many are accepted. Cut it first."
        )


def check_reach(name: str, frame: int, width: int, height: int) -> None:
    """Raise MediaError where a frame of an animation lies behind too many pixels."""
    last = MAX_PIXELS_IN_TURN // max(1, width * height) - 1
    if frame > last:
        raise MediaError(
            f"Frame {frame} of {name} ({width} x {height} pixels) lies too far behind its start, "
            f"from which an animation is decoded; frames 0 to {last} can be taken. Take a start "
            "before, scale it down, or save it as H.264 MP4."
        )


def check_deadline(name: str, deadline: float) -> None:
    """Raise MediaError once time.monotonic() has passed ``deadline``."""
    if time.monotonic() > deadline:
        raise MediaError(
            f"{name} takes more than {PATIENCE:.0f} s to decode; cut it, scale it down, or save "
            "it as H.264 MP4 first."
        )
