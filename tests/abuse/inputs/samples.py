"""One small good file of every format that is read, made by the tests, and what reads it."""

import io
import json
import pickle
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from PIL import Image
from pypdf import PdfWriter

from models.checkpoints.containers import read as checkpoint
from tests.models.written import planted
from tests.viz import drawn_clips
from viz.figure import keypoints
from viz.figure.files import embedded_recipe
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View
from viz.media import footage
from viz.types import Sampling


def _picture(kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    if kind in ("HEIF",):
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.fromarray(drawn_clips.drawn(7)).save(file, kind, **options)
    return file.getvalue()


def _saved(write: Callable[[Path], object]) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.pth"
        write(path)
        return path.read_bytes()


@cache
def _recipe() -> str:
    medium = Medium("bird.png", "a" * 64)
    reference = Reference(medium, (View(Network("e2-nl", "b" * 64)),), (17.0, 11.0))
    return recipe_json.dumps(Recipe("view", (reference,)))


def _pdf() -> bytes:
    writer, file = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.add_metadata({"/Subject": _recipe()})
    writer.write(file)
    return file.getvalue()


def _svg() -> bytes:
    text = _recipe().replace("&", "&amp;").replace("<", "&lt;")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:description>{text}</dc:description></metadata></svg>"
    ).encode()


def _zip() -> bytes:
    return drawn_clips.zipped({f"f{k}.png": _picture("PNG") for k in range(3)})


def _moving(kind: str) -> bytes:
    return drawn_clips.animation(drawn_clips.frames(3), kind)


def _video(container: str, codec: str = "libx264", **more: object) -> bytes:
    return drawn_clips.video(drawn_clips.frames(5), container, codec, **more)


def _media(content: bytes, name: str) -> None:
    found = footage.read(content, name)
    found.sample(Sampling(2, 1, 0) if found.is_clip else Sampling(1))


def _weights(content: bytes, name: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        checkpoint.read(path)


def _points(content: bytes, name: str) -> None:
    keypoints.read_bytes(content, name)


Reader = Callable[[bytes, str], object]
POINTS = [{"name": "beak", "x": 4.5, "y": 7}, {"name": "tail", "x": 1, "y": 2, "visible": 0}]
SAMPLES: dict[str, tuple[Callable[[], bytes], Reader]] = {
    "png": (lambda: _picture("PNG"), _media),
    "jpeg": (lambda: _picture("JPEG"), _media),
    "progressive jpeg": (lambda: _picture("JPEG", progressive=True), _media),
    "webp": (lambda: _picture("WEBP"), _media),
    "tiff": (lambda: _picture("TIFF", compression="tiff_lzw"), _media),
    "bmp": (lambda: _picture("BMP"), _media),
    "heic": (lambda: _picture("HEIF"), _media),
    "avif": (lambda: _picture("AVIF"), _media),
    "gif": (lambda: _moving("GIF"), _media),
    "moving webp": (lambda: _moving("WEBP"), _media),
    "moving png": (lambda: _moving("PNG"), _media),
    "mp4": (lambda: _video("mp4"), _media),
    "mkv": (lambda: _video("matroska"), _media),
    "avi": (lambda: _video("avi", "mpeg4"), _media),
    "zip": (_zip, _media),
    "safetensors": (lambda: _saved(planted.write_safetensors), _weights),
    "torch zip": (lambda: _saved(lambda p: planted.write(p, planted.weights())), _weights),
    "torch legacy": (
        lambda: _saved(lambda p: planted.write_legacy(p, planted.weights())),
        _weights,
    ),
    "pickle": (lambda: pickle.dumps({"blobs": planted.arrays()}, protocol=2), _weights),
    "recipe": (lambda: _recipe().encode(), embedded_recipe.read),
    "pdf": (_pdf, embedded_recipe.read),
    "svg": (_svg, embedded_recipe.read),
    "json points": (lambda: json.dumps(POINTS).encode(), _points),
    "csv points": (lambda: b"name,x,y,visible\nbeak,4.5,7,1\ntail,1,2,0\n", _points),
}
"""Format -> what makes a good file, and what reads it. 24 formats."""


@cache
def sample(kind: str) -> bytes:
    """Return the good file of a format."""
    return SAMPLES[kind][0]()


def mutated(content: bytes, draw: np.random.Generator) -> bytes:
    """Return a copy with one to eight changes: flipped, set, cut, doubled, moved or long bytes."""
    data = bytearray(content)
    for _ in range(int(draw.integers(1, 9))):
        if not data:
            break
        place, length = int(draw.integers(len(data))), int(draw.integers(1, 33))
        piece = bytes(data[place : place + length])
        match int(draw.integers(6)):
            case 0:
                data[place] ^= 1 << int(draw.integers(8))
            case 1:
                data[place : place + length] = bytes(
                    [int(draw.choice([0, 1, 127, 128, 255]))] * len(piece)
                )
            case 2:
                del data[place : place + length]
            case 3:
                data[place:place] = piece * int(draw.integers(1, 9))
            case 4:
                data[place : place + length] = draw.bytes(len(piece))
            case _:
                del data[place:]
    return bytes(data)
