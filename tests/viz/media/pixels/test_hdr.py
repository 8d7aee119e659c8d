"""PQ and HLG: grey stays grey, reference white is bright, nothing is clipped below the peak."""

import io
import zlib

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image

from tests.viz import drawn_clips as draw
from viz.media import footage, pictures
from viz.media.pixels import hdr
from viz.types import Sampling


def pq(light):
    """Return the PQ code, 0 to 1, of light in cd/m2: SMPTE ST 2084's inverse, written anew."""
    y = (light / 10_000) ** (2610 / 16384)
    return ((3424 / 4096 + 2413 / 128 * y) / (1 + 2392 / 128 * y)) ** (2523 / 32)


def toned(code, transfer):
    codes = np.full((2, 3, 3), round(65535 * code), np.uint16)
    found = hdr.toned(codes, transfer)
    assert (found == found[0, 0, 0]).all()
    return int(found[0, 0, 0])


SRGB = {20.3: 89, 101.5: 188}
"""cd/m2 below the knee (a tenth and a half of reference white) -> its code in sRGB."""


@pytest.mark.parametrize(("light", "code"), SRGB.items())
def test_light_below_the_knee_is_kept(light, code):
    assert toned(pq(light), hdr.PQ) == pytest.approx(code, abs=1)


def test_more_light_is_never_darker_and_only_the_peak_is_white():
    codes = [toned(pq(light), hdr.PQ) for light in (0, 1, 10, 100, 203, 400, 700, 999, 1000, 4000)]
    assert codes == sorted(codes)
    assert codes[0] == 0
    assert 215 < codes[4] < 240
    assert codes[7] < 256
    assert codes[-1] == 255


def test_hlg_reference_white_is_as_bright_as_pqs():
    assert toned(0.75, hdr.HLG) == pytest.approx(toned(pq(203), hdr.PQ), abs=3)


def test_hues_stay_and_saturated_light_is_within_range():
    codes = np.array([[[round(65535 * pq(v)) for v in (300, 150, 150)]]], np.uint16)
    red, green, blue = hdr.toned(codes, hdr.PQ)[0, 0].tolist()
    assert red > 180
    assert abs(green - blue) < 12
    assert green < red


def clip_of(code, transfer):
    """Return a clip of one grey, tagged as HDR: 10-bit luma code of limited range."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx265", rate=25, options={"x265-params": "log-level=none:qp=1"})
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p10le"
        context = stream.codec_context
        context.color_trc, context.color_primaries, context.colorspace = transfer, 9, 9
        for number in range(3):
            frame = av.VideoFrame(64, 48, "yuv420p10le")
            for plane, value in zip(frame.planes, (64 + 876 * code, 512, 512), strict=True):
                plane.update(np.full(plane.buffer_size // 2, round(value), np.uint16).tobytes())
            frame.pts, frame.color_trc, frame.colorspace = number, transfer, 9
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize("transfer", [hdr.PQ, hdr.HLG])
def test_a_clip_of_high_dynamic_range_is_toned_down_and_that_is_said(transfer):
    code = pq(101.5) if transfer == hdr.PQ else 0.5
    clip = footage.read(clip_of(code, transfer), "hdr.mp4").sample(Sampling(2, 1))
    np.testing.assert_allclose(clip.frames, toned(code, transfer), atol=3)
    assert clip.notes == (
        f"high dynamic range ({hdr.NAMES[transfer]}) toned down to standard range",
    )


def test_a_plain_clip_says_nothing():
    assert footage.read(draw.video(draw.frames(3)), "clip.mp4").sample(Sampling(2, 1)).notes == ()


def heic_of(code, transfer):
    """Return a HEIC of one grey that is tagged as HDR."""
    grey = Image.new("RGB", (64, 48), (round(255 * code),) * 3)
    file = io.BytesIO()
    made = pillow_heif.from_pillow(grey)
    made[0].info["nclx_profile"] = {
        "color_primaries": 9, "transfer_characteristics": transfer,
        "matrix_coefficients": 9, "full_range_flag": 1,
    }  # fmt: skip
    made.save(file, quality=-1, save_nclx_profile=True)
    return file.getvalue()


@pytest.mark.parametrize("transfer", [hdr.PQ, hdr.HLG])
def test_a_heic_of_high_dynamic_range_is_toned_down(transfer):
    content = heic_of(0.5, transfer)
    assert hdr.transfer_of(content) == transfer
    clip = pictures.read(content, "hdr.heic")
    np.testing.assert_allclose(clip.frames, toned(0.5, transfer), atol=4)
    assert "high dynamic range" in clip.notes[0]


def test_a_png_says_its_transfer_in_a_chunk():
    plain = draw.picture(np.full((19, 23, 3), 128, np.uint8))
    chunk = b"cICP" + bytes([9, hdr.PQ, 0, 1])
    packed = len(chunk[4:]).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    clip = pictures.read(plain[:33] + packed + plain[33:], "hdr.png")
    np.testing.assert_allclose(clip.frames, toned(128 / 255, hdr.PQ), atol=1)
    assert hdr.transfer_of(plain) == 0
