"""Clips that tests draw: frames that show their number, in every container."""

import io
import zipfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

STEP = 5
DARKEST = 20
MARK = (250, 0, 0)


def drawn(number: int, height: int = 38, width: int = 46) -> np.ndarray:
    """Return frame ``number`` (below 46): a grey that tells it, and red in the upper left."""
    picture = np.full((height, width, 3), DARKEST + STEP * number, np.uint8)
    picture[: height // 3, : width // 3] = MARK
    return picture


def frames(count: int, height: int = 38, width: int = 46) -> list[np.ndarray]:
    return [drawn(number, height, width) for number in range(count)]


def told(picture: np.ndarray) -> int:
    """Return the number that a drawn frame shows."""
    height, width, _rgb = picture.shape
    grey = picture[2 * height // 3 :, 2 * width // 3 :].astype(float).mean()
    return round((grey - DARKEST) / STEP)


def noise(count: int, height: int = 38, width: int = 46) -> list[np.ndarray]:
    """Return frames that resemble each other and nothing else."""
    draw = np.random.default_rng(47)
    ground = draw.integers(0, 160, (height, width, 3))
    return [(ground + draw.integers(0, 96, ground.shape)).astype(np.uint8) for _ in range(count)]


def video(
    pictures: Sequence[np.ndarray],
    container: str = "mp4",
    codec: str = "libx264",
    stamps: Sequence[int] | None = None,
    tick: Fraction = Fraction(1, 25),
    pixels: str = "yuv420p",
    turn: dict | None = None,
    audio: bool = False,
    muxing: dict | None = None,
    context: dict | None = None,
    path: Path | None = None,
    **options: str,
) -> bytes:
    """Return a video file of the pictures, shown at ``stamps`` ticks; ``options`` of the codec.

    It is written at ``path`` where the muxer has to read it again.
    """
    file = io.BytesIO()
    height, width, _rgb = pictures[0].shape
    fine = {"qmin": "1", "qmax": "2"} if codec == "mpeg4" else {}
    target = file if path is None else str(path)
    with av.open(target, "w", format=container, options=muxing or {}) as out:
        stream = out.add_stream(codec, rate=1 / tick, options=fine | options)
        stream.width, stream.height, stream.pix_fmt = width, height, pixels
        stream.codec_context.time_base = tick
        for name, value in (context or {}).items():
            setattr(stream.codec_context, name, value)
        if turn:
            stream.set_display_rotation(**turn)
        sound = out.add_stream("pcm_s16le" if container == "avi" else "aac") if audio else None
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = stamps[number] if stamps else number
            frame.time_base = tick
            out.mux(stream.encode(frame))
        if sound:
            heard(out, sound)
        out.mux(stream.encode(None))
    return file.getvalue() if path is None else path.read_bytes()


def heard(out, sound) -> None:
    tone = np.zeros((1, 1024), np.int16)
    for number in range(9):
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate, frame.pts = 48000, 1024 * number
        out.mux(sound.encode(frame))
    out.mux(sound.encode(None))


def sound_only(container: str = "mp4") -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        heard(out, out.add_stream("aac", rate=48000))
    return file.getvalue()


def plain(content: bytes) -> list[np.ndarray]:
    """Decode everything, the plain way: what samples are compared with."""
    with av.open(io.BytesIO(content)) as opened:
        return [frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)]


def picture(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def animation(pictures: Sequence[np.ndarray], kind: str = "GIF", **options) -> bytes:
    first, *others = [Image.fromarray(pixels) for pixels in pictures]
    file = io.BytesIO()
    first.save(file, kind, save_all=True, append_images=others, **options)
    return file.getvalue()


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def coloured(rgb: tuple[int, int, int], matrix: int, full: bool) -> bytes:
    """Return a clip of one colour, turned into Y, Cb, Cr here: matrix 1 is BT.709, 5 BT.601."""
    kr, kb = {1: (0.2126, 0.0722), 5: (0.299, 0.114)}[matrix]
    red, green, blue = (value / 255 for value in rgb)
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    chroma = [(blue - luma) / (2 - 2 * kb), (red - luma) / (2 - 2 * kr)]
    levels = (
        [255 * luma, *(128 + 255 * c for c in chroma)]
        if full
        else [16 + 219 * luma, *(128 + 224 * c for c in chroma)]
    )
    planes = np.stack([np.full((38, 46), round(level), np.uint8) for level in levels])
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=25, options={"qp": "0"})
        stream.width, stream.height, stream.pix_fmt = 46, 38, "yuv444p"
        context = stream.codec_context
        context.colorspace, context.color_range = matrix, 2 if full else 1
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(planes, format="yuv444p")
            frame.pts, frame.colorspace, frame.color_range = number, matrix, 2 if full else 1
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return file.getvalue()


def packed(
    payloads: Sequence[bytes], container: str = "matroska", size=(46, 38), every: int = 1
) -> bytes:
    """Return a video whose packets are these bytes, said to be MJPEG of (width, height)."""
    file = io.BytesIO()
    with av.open(file, "w", format=container) as out:
        stream = out.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = *size, "yuvj420p"
        out.start_encoding()
        for number, payload in enumerate(payloads):
            packet = av.Packet(payload)
            packet.pts = packet.dts = number * every
            packet.time_base, packet.stream, packet.is_keyframe = Fraction(1, 25), stream, True
            out.mux(packet)
    return file.getvalue()


def claimed(size: tuple[int, int]) -> bytes:
    """Return a small JPEG whose header says (width, height)."""
    content = picture(drawn(3), "JPEG")
    place = content.index(b"\xff\xc0") + 5
    width, height = size
    said = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return content[:place] + said + content[place + 4 :]


def covered() -> bytes:
    """Return an MP4 of sound with a cover picture."""
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        sound, cover = out.add_stream("aac", rate=48000), out.add_stream("mjpeg", rate=25)
        cover.width, cover.height, cover.pix_fmt = 46, 38, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        out.start_encoding()
        packet = av.Packet(picture(drawn(1), "JPEG"))
        packet.pts = packet.dts = 0
        packet.time_base, packet.stream = Fraction(1, 25), cover
        out.mux(packet)
        heard(out, sound)
    return file.getvalue()
