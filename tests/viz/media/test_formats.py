"""HEIC, AVIF, TIFF stacks, MPEG-TS, MPG, WMV, FLV and ProRes: the same frames as of other files."""

import io

import av
import numpy as np
import pillow_heif
import pytest
from PIL import Image, TiffImagePlugin

from errors import MediaError
from tests.viz import drawn_clips as draw
from viz.media import decoding, footage, pictures
from viz.types import Sampling

ALL = Sampling(256, 1)
CONTAINERS = {
    "MPEG-TS of H.264": ("mpegts", "libx264", "yuv420p", {"g": "9", "bf": "2"}),
    "MPEG-TS of MPEG-2": ("mpegts", "mpeg2video", "yuv420p", {"qmin": "1", "qmax": "2"}),
    "M2TS": ("mpegts", "libx264", "yuv420p", {"g": "9"}),
    "MPG of MPEG-1": ("mpeg", "mpeg1video", "yuv420p", {"qmin": "1", "qmax": "2"}),
    "MPG of MPEG-2": ("mpeg", "mpeg2video", "yuv420p", {"qmin": "1", "qmax": "2"}),
    "WMV": ("asf", "wmv2", "yuv420p", {"qmin": "1", "qmax": "2"}),
    "FLV": ("flv", "flv", "yuv420p", {"qmin": "1", "qmax": "2"}),
    "FLV of H.264": ("flv", "libx264", "yuv420p", {"g": "9"}),
}


@pytest.mark.parametrize(("container", "codec", "pixels", "options"), CONTAINERS.values(),
                         ids=CONTAINERS)  # fmt: skip
def test_every_container_gives_every_frame_in_order(container, codec, pixels, options, request):
    muxing = {"mpegts_m2ts_mode": "1"} if "M2TS" in request.node.name else {}
    content = draw.video(
        draw.frames(23, 48, 64), container, codec, pixels=pixels, muxing=muxing, **options
    )
    found = footage.read(content, "clip")
    assert (found.width, found.height) == (64, 48)
    told = [draw.told(frame) for frame in found.sample(ALL).frames]
    assert told == list(range(23))
    assert [draw.told(found.take((k,)).frames[0]) for k in (0, 7, 22)] == [0, 7, 22]
    np.testing.assert_allclose(found.times, [k / 25 for k in range(23)], atol=2e-3)


def heif(picture, **options):
    file = io.BytesIO()
    pillow_heif.from_pillow(picture).save(file, quality=-1, **options)
    return file.getvalue()


def test_a_heic_picture_is_read_and_turned():
    pixels = np.full((48, 64, 3), (40, 60, 80), np.uint8)
    pixels[:16, :20] = (220, 30, 30)
    content = heif(Image.fromarray(pixels))
    assert pictures.looks_like_picture(content[:16])
    found = footage.read(content, "IMG_0001.HEIC")
    assert not found.is_clip
    np.testing.assert_allclose(found.take((0,)).frames[0], pixels, atol=8)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = footage.read(heif(Image.fromarray(pixels), exif=exif.tobytes()), "IMG_0002.HEIC")
    assert (turned.width, turned.height) == (48, 64)
    np.testing.assert_allclose(turned.take((0,)).frames[0], np.rot90(pixels, -1), atol=8)


def test_an_avif_picture_is_read():
    pixels = np.full((48, 64, 3), (40, 60, 80), np.uint8)
    found = footage.read(draw.picture(pixels, "AVIF", quality=100), "a.avif")
    np.testing.assert_allclose(found.take((0,)).frames[0], pixels, atol=3)


@pytest.mark.parametrize("read", [lambda c: footage.read(draw.zipped({"1": c, "2": c}), "z.zip"),
                                  lambda c: footage.read(c, "x")])  # fmt: skip
@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_cut_heic_and_avif_are_one_line(kind, read, one_line):
    picture = Image.fromarray(draw.noise(1, 48, 64)[0])
    content = heif(picture) if kind == "HEIF" else draw.picture(np.asarray(picture), "AVIF")
    for keep in (0.1, 0.5, 0.9):
        with pytest.raises(MediaError) as caught:
            read(content[: int(len(content) * keep)]).sample(ALL)
        one_line(caught.value)


def test_a_head_tells_the_demuxer():
    assert decoding.demuxer_of(b"G" + bytes(187) + b"G" + bytes(187) + b"G" + bytes(99)) == "mpegts"
    assert decoding.demuxer_of(b"G" + bytes(600)) is None
    assert decoding.demuxer_of(b"Good morning" * 90) is None


@pytest.mark.parametrize(("codec", "pixels"), [("prores_ks", "yuva444p10le"), ("qtrle", "argb"),
                                               ("png", "rgba")])  # fmt: skip
def test_what_is_transparent_in_a_clip_lies_on_white(codec, pixels):
    content = clear_clip(codec, pixels)
    clip = footage.read(content, "clip.mov").sample(ALL)
    np.testing.assert_allclose(clip.frames[1, 24, 10], (255, 255, 255), atol=3)
    np.testing.assert_allclose(clip.frames[1, 24, 50], (200, 30, 60), atol=6)


def clear_clip(codec, pixels):
    file = io.BytesIO()
    picture = np.full((48, 64, 4), (200, 30, 60, 255), np.uint8)
    picture[:, :32, 3] = 0
    with av.open(file, "w", format="mov") as out:
        options = {"profile": "4444", "alpha_bits": "16"} if codec == "prores_ks" else {}
        stream = out.add_stream(codec, rate=25, options=options)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgba")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/'
    b'22-rdf-syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
    b'tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_pictures_and_frames_are_turned_as_their_xmp_says(kind):
    content = draw.picture(draw.drawn(3, 31, 43), kind, xmp=XMP, quality=95)
    expected = np.rot90(draw.drawn(3, 31, 43), -1)
    for found in (
        footage.read(content, "a"),
        footage.read(draw.zipped({"a": content, "b": content}), "frames.zip"),
    ):
        assert (found.width, found.height) == (31, 43)
        np.testing.assert_allclose(found.take((0,)).frames[0][30:], expected[30:], atol=12)


def stack(pages, kinds=()):
    """Return a TIFF of pages (H, W) or (H, W, 3); kinds are their NewSubfileType."""
    file = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(file, new=True) as out:
        for number, page in enumerate(pages):
            info = TiffImagePlugin.ImageFileDirectory_v2()
            info[254] = kinds[number] if kinds else 0
            Image.fromarray(page).save(out, "TIFF", tiffinfo=info)
            out.newFrame()
    return file.getvalue()


def test_the_pages_of_a_stack_are_frames():
    found = footage.read(stack(draw.frames(7)), "stack.tif")
    clip = found.sample(Sampling(3, 2, 1))
    assert [draw.told(frame) for frame in clip.frames] == [1, 3, 5]
    assert found.times == tuple(k / 25 for k in range(7))
    assert "a stack of 7 pictures" in clip.notes[0]


def test_deep_pages_share_their_levels():
    pages = [np.full((19, 23), value, np.uint16) for value in (100, 1000, 4000)]
    clip = footage.read(stack(pages), "stack.tif").sample(ALL)
    assert [int(frame[0, 0, 0]) for frame in clip.frames] == [6, 62, 249]
    asked = footage.read(stack(pages), "stack.tif", (0, 1000)).sample(ALL)
    assert [int(frame[0, 0, 0]) for frame in asked.frames] == [26, 255, 255]


def test_thumbnails_are_no_frames_and_other_sizes_are_named():
    page, small = draw.drawn(3), draw.drawn(3, 19, 23)
    pyramid = footage.read(stack([page, small, small], [0, 1, 1]), "pyramid.tif")
    assert not pyramid.is_clip
    mixed = footage.read(stack([page, page, small]), "mixed.tif")
    assert len(mixed.times) == 2
    assert "1 page of other sizes left out" in mixed.notes


@pytest.mark.parametrize(("keep", "pages"), [(0.1, 0), (0.4, 2), (0.7, 5)])
def test_of_a_stack_that_is_cut_short_the_pages_that_are_there_work_and_that_is_said(
    keep, pages, one_line
):
    content = stack(draw.frames(9))
    content = content[: int(len(content) * keep)]
    if not pages:
        with pytest.raises(MediaError, match=r"stack\.tif") as caught:
            footage.read(content, "stack.tif").sample(ALL)
        one_line(caught.value)
        return
    clip = footage.read(content, "stack.tif").take(range(pages))
    assert [draw.told(frame) for frame in clip.frames] == list(range(pages))
    assert "cut short" in clip.notes[1]
