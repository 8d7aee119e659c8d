"""What needs more memory or time than a child may use is said to be that, whichever reader meets
the limit, and not called damaged."""

import contextlib
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from errors import InputError, MediaError, is_out_of_memory
from tests.abuse.inputs import hostile
from tests.models.written import planted
from tests.viz import drawn_clips
from ui.isolation import given, jobs, media, pool, texts, weights
from viz.media import pictures

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


def picture(side):
    """Return squares of colours, (side, side, 3) uint8."""
    squares = np.random.default_rng(7).integers(0, 255, (10, 10, 3), np.uint8)
    return np.kron(squares, np.ones((side // 10, side // 10, 1), np.uint8))


LARGE, SMALL = picture(2400), picture(60)


@pytest.fixture(autouse=True)
def _new_children():
    """What an earlier file left to its child must not be there for this one."""
    given.pool().close()
    yield
    given.pool().close()


def saved(kind, array, **options):
    file = io.BytesIO()
    if kind == "HEIF":
        import pillow_heif

        pillow_heif.register_heif_opener()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def moving(kind, array):
    more = [Image.fromarray(array[::-1].copy())]
    return saved(kind, array, save_all=True, append_images=more, duration=100)


FILES = {
    "png": lambda array: saved("PNG", array),
    "deep.png": lambda array: saved("PNG", array[..., 0].astype(np.uint16) * 200),
    "jpeg": lambda array: saved("JPEG", array),
    "progressive.jpeg": lambda array: saved("JPEG", array, progressive=True),
    "webp": lambda array: saved("WEBP", array),
    "tiff": lambda array: saved("TIFF", array, compression="tiff_lzw"),
    "bmp": lambda array: saved("BMP", array),
    "heic": lambda array: saved("HEIF", array),
    "avif": lambda array: saved("AVIF", array),
    "moving.gif": lambda array: moving("GIF", array),
    "moving.webp": lambda array: moving("WEBP", array),
    "moving.png": lambda array: moving("PNG", array),
    "stack.tiff": lambda array: moving("TIFF", array),
    "mp4": lambda array: drawn_clips.video([array] * 3),
    "mkv": lambda array: drawn_clips.video([array] * 3, "matroska"),
    "avi": lambda array: drawn_clips.video([array] * 3, "avi", "mpeg4"),
    "zip": lambda array: drawn_clips.zipped({f"f{k}.png": saved("PNG", array) for k in range(3)}),
}
MOST = {"webp": 50, "moving.webp": 50, "heic": 25, "avif": 25, "mp4": 30, "mkv": 30, "avi": 30}
"""MB that are too little: not for the first allocation of decoders that do not say what failed, nor
for the stacks of threads."""


def look_at(content, name):
    found = media.read(content, name)
    found.take((len(found.times) - 1,))


@pytest.mark.parametrize("kind", FILES)
def test_pictures_and_clips_that_are_too_large_are_not_called_damaged(monkeypatch, one_line, kind):
    look_at(FILES[kind](SMALL), f"a.{kind}")  # the child imports what reads it
    most = MOST.get(kind, 7)
    for job in ("read", "frames"):
        monkeypatch.setitem(pool.KINDS, job, jobs.KINDS[job]._replace(megabytes=most))
    with pytest.raises(MediaError, match=f"needs more than the {most} MB of memory") as caught:
        look_at(FILES[kind](LARGE), f"a.{kind}")
    assert "Scale it down" in one_line(caught.value)


def of_points(count, _folder):
    entries = [{"name": "a", "x": 1, "y": 1, "image": f"{k}.png"} for k in range(count)]
    return texts.points({"a.json": json.dumps(entries).encode()})


def of_recipe(count, _folder):
    with contextlib.suppress(InputError):
        texts.recipe(b'{"a": 1}', "a.json")
    return texts.recipe(json.dumps({f"k{k}": [k] for k in range(2 * count)}).encode(), "a.json")


def of_weights(count, folder):
    folder.mkdir(exist_ok=True)
    planted.write(folder / "a.pth", {f"w{k}": torch.zeros(3) for k in range(count // 10)})
    return weights.reader()(folder / "a.pth", None)


def of_data(count, _folder):
    files = {f"{k}.png": bytes(count) for k in range(100)}
    return media.unpack(drawn_clips.zipped(files), "a.zip")


@pytest.mark.parametrize(
    ("job", "read"),
    [("points", of_points), ("recipe", of_recipe), ("weights", of_weights), ("unpack", of_data)],
)
def test_other_files_that_are_too_large_are_not_called_damaged(
    monkeypatch, one_line, tmp_path, job, read
):
    with contextlib.suppress(InputError):
        read(10, tmp_path / "small")
    monkeypatch.setitem(pool.KINDS, job, jobs.KINDS[job]._replace(megabytes=3, growth=0))
    with pytest.raises(InputError, match="needs more than the 3 MB of memory") as caught:
        read(100_000, tmp_path / "large")
    one_line(caught.value)


def test_what_runs_out_of_processor_time_says_so(monkeypatch, tmp_path, one_line):
    hostile.many_scans(tmp_path / "x", 90)
    monkeypatch.setitem(pool.KINDS, "read", jobs.KINDS["read"]._replace(seconds=-1))
    with pytest.raises(MediaError, match="takes more than the -1 s of processor time") as caught:
        media.read((tmp_path / "x").read_bytes(), "a.jpg")
    assert "Scale it down" in one_line(caught.value)


@pytest.mark.parametrize(
    ("problem", "is_it"),
    [
        (MemoryError(), True),
        (RuntimeError("Memory allocation error: Security limit exceeded"), True),
        (OSError("out of memory error when reading image file"), True),
        (ValueError("broken data stream"), False),
        (MediaError("out of memory.png is damaged"), False),
    ],
)
def test_too_little_memory_is_known_through_what_came_of_it(problem, is_it):
    refusal = MediaError("it is damaged")
    refusal.__cause__ = OSError("cannot be read")
    refusal.__cause__.__context__ = problem
    assert is_out_of_memory(refusal) == is_it
    said = str(pictures.damaged("a.png", "and cannot be decoded.", refusal))
    assert ("needs more memory" in said) == is_it
