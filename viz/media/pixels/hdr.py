"""High dynamic range as 8-bit sRGB: PQ (SMPTE ST 2084) and HLG (ITU-R BT.2100), BT.2020 primaries.

Light is taken relative to reference white (203 cd/m2, ITU-R BT.2408), kept up to KNEE of it, and
rolled off from there to the brightest that is shown, PEAK cd/m2, so that what is not a highlight
looks as in a film of standard range.
"""

from functools import cache

import numpy as np

PQ, HLG = 16, 18
"""Transfer characteristics as ITU-T H.273 numbers them."""
NAMES = {PQ: "PQ", HLG: "HLG"}
PEAK, WHITE = 1000.0, 203.0
KNEE = 0.6
_TO_BT709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349],
     [-0.018151, -0.100579, 1.118730]], np.float32,
)  # fmt: skip
"""Linear BT.2020 to linear BT.709 (ITU-R BT.2087)."""
_LUMA = np.array([0.2627, 0.6780, 0.0593], np.float32)
_STEPS = 4096
_HEAD = 2**16
"""Bytes in which pictures name their transfer characteristic."""
_ROWS = 256


def is_hdr(transfer: int) -> bool:
    """Tell whether a transfer characteristic is one of high dynamic range."""
    return transfer in NAMES


def transfer_of(content: bytes) -> int:
    """Return the transfer characteristic that a HEIC, AVIF or PNG picture names; 0 where it names
    none."""
    head = content[:_HEAD]
    if head[4:8] == b"ftyp":
        mark, place, size = b"colrnclx", 2, 2
    elif head[:4] == b"\x89PNG":
        mark, place, size = b"cICP", 1, 1
    else:
        return 0
    found = head.find(mark)
    start = found + len(mark) + place
    return int.from_bytes(head[start : start + size], "big") if found >= 0 else 0


def note(transfer: int) -> str:
    """Return what is said of a transfer characteristic; "" of standard range."""
    return (
        f"high dynamic range ({NAMES[transfer]}) toned down to standard range"
        if transfer in NAMES
        else ""
    )


def toned(codes: np.ndarray, transfer: int) -> np.ndarray:
    """Return (H, W, 3) uint16 RGB codes of full range as (H, W, 3) uint8 sRGB."""
    out = np.empty(codes.shape, np.uint8)
    for top in range(0, len(codes), _ROWS):  # a few rows at a time: floats are large
        rows = slice(top, top + _ROWS)
        out[rows] = _toned(codes[rows], transfer)
    return out


def _toned(codes: np.ndarray, transfer: int) -> np.ndarray:
    light = _light(transfer)[codes]
    if transfer == HLG:  # BT.2100's display: scene light to the power of 1.2 by luminance
        luma = np.maximum(light @ _LUMA, 1e-6)[..., None]
        light *= luma**0.2 * (PEAK / WHITE)
    brightest = np.maximum(light.max(-1, keepdims=True), 1e-6)
    light *= _rolled(brightest) / brightest  # one factor for all three, so that hues stay
    linear = np.clip(light @ _TO_BT709.T, 0, 1)
    return _gamma()[np.rint(linear * _STEPS).astype(np.uint16)]


def _rolled(light: np.ndarray) -> np.ndarray:
    """Return light of reference white 1 within 0 to 1: itself up to KNEE, then less and less."""
    most, room = PEAK / WHITE - KNEE, 1 - KNEE
    over = np.clip(light - KNEE, 0, most)
    # over / (1 + k over) has slope 1 at the knee, and reaches the room at the most.
    return np.minimum(light, KNEE) + over / (1 + over * (1 / room - 1 / most))


@cache
def _light(transfer: int) -> np.ndarray:
    """Return the light of each of 65,536 codes, (65536,) float32: for PQ of reference white 1, for
    HLG of the scene, 0 to 1."""
    code = np.linspace(0, 1, 65536)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = code ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1) * 10_000 / WHITE
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    return light.astype(np.float32)


@cache
def _gamma() -> np.ndarray:
    """Return sRGB codes of linear light, (_STEPS + 1,) uint8."""
    linear = np.linspace(0, 1, _STEPS + 1)
    curve = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.rint(255 * curve).astype(np.uint8)
