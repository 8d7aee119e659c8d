"""Colours of a picture's own ICC profile, as sRGB: what screens and networks expect."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

LARGEST_PROFILE = 8 * 2**20
_AS_GOOD_AS_SRGB = 2
"""A profile that moves no colour by more than this, of 255, is sRGB."""
_STEPS = 9


def to_srgb(picture: Image.Image) -> tuple[Image.Image, str]:
    """Return a picture of mode L, RGB or CMYK as sRGB by its ICC profile, and a note.

    Without a profile, or where it is sRGB's, the picture is returned as it is. The note says what
    was done; a profile that does not fit the picture is left out, and the note says that.
    """
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("L", "RGB", "CMYK"):
        return picture, ""
    if len(profile) > LARGEST_PROFILE:
        return picture, "its ICC profile is too large and was left out"
    try:
        transform, name = _transform(profile, picture.mode)
        if transform is None:
            return picture, ""
        converted = ImageCms.applyTransform(picture, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return picture, "its ICC profile does not fit it and was left out"
    return converted, f"colours converted from {name} to sRGB"


@lru_cache(8)
def _transform(profile: bytes, mode: str) -> tuple[ImageCms.ImageCmsTransform | None, str]:
    """Return what converts, and the profile's name; None where nothing needs to be converted."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    transform = ImageCms.buildTransform(
        opened, target, mode, "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )  # fmt: skip
    if mode != "CMYK":
        probe = _probe(mode)
        moved = np.asarray(ImageCms.applyTransform(probe, transform), np.int16)
        if np.abs(moved - np.asarray(probe.convert("RGB"), np.int16)).max() <= _AS_GOOD_AS_SRGB:
            return None, ""
    name = "".join(c for c in ImageCms.getProfileDescription(opened) if c.isprintable())
    return transform, name.strip()[:40] or "its ICC profile"


def _probe(mode: str) -> Image.Image:
    """Return a picture of colours all over the mode's range."""
    steps = np.linspace(0, 255, _STEPS).astype(np.uint8)
    if mode == "L":
        return Image.fromarray(steps[None])
    red, green, blue = np.meshgrid(steps, steps, steps, indexing="ij")
    return Image.fromarray(np.stack([red, green, blue], -1).reshape(_STEPS, -1, 3))
