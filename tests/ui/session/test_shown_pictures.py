"""Pictures reach the browser as they were made: Streamlit would make JPEGs of them."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from tests.paths import ROOT
from ui.server.sending import pictures

RNG = np.random.default_rng(3)
PIXELS = RNG.integers(0, 256, (9, 14, 3), dtype=np.uint8)


def packed(kind: str, frames: int = 1) -> bytes:
    first, *others = [Image.fromarray(np.roll(PIXELS, k, 0)) for k in range(frames)]
    written = io.BytesIO()
    first.save(written, kind, **({"save_all": True, "append_images": others} if others else {}))
    return written.getvalue()


@pytest.fixture
def sent(monkeypatch):
    """What browsers can fetch: (content, media type) of each."""
    from streamlit.runtime.media_file_manager import MediaFileManager

    added, add = [], MediaFileManager.add

    def noted(self, content, mime, *rest, **named):
        added.append((content, mime))
        return add(self, content, mime, *rest, **named)

    monkeypatch.setattr(MediaFileManager, "add", noted)
    return added


def page(draw, *values):
    """Return the addresses of the pictures that a page shows which draws this."""

    def script(draw, values):
        draw(*values)

    at = AppTest.from_function(script, args=(draw, values)).run()
    assert not at.exception
    return [one.url for element in at.get("image") for one in element.proto.imgs]


@pytest.mark.parametrize("width", ["content", "stretch", 320])
def test_a_png_is_shown_as_it_is(sent, width):
    content = packed("PNG")
    page(pictures.show, content, "a", None, width)
    assert sent == [(content, "image/png")]


def test_pixels_are_shown_without_loss(sent):
    page(pictures.show, PIXELS, "a")
    [(content, mime)] = sent
    assert mime == "image/png"
    with Image.open(io.BytesIO(content)) as opened:
        np.testing.assert_array_equal(np.asarray(opened), PIXELS)


def test_a_gif_moves(sent):
    content = packed("GIF", 4)
    page(pictures.show_movie, content, "gif", "a")
    assert sent == [(content, "image/gif")]


def test_an_animated_webp_moves(sent):
    content = packed("WEBP", 4)
    [address] = page(pictures.show_movie, content, "webp", "a")
    head, _, text = address.partition(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(text))) as opened:
        assert opened.n_frames == 4
    assert not sent


def test_no_page_shows_a_picture_otherwise():
    found = [
        path.name
        for folder in ("ui", "pages")
        for path in (ROOT / folder).rglob("*.py")
        if re.search(r"\.(image|video)\(", path.read_text(encoding="utf-8"))
    ]
    assert found == ["pictures.py"]
