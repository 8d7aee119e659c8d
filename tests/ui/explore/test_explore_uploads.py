"""The Explore page without a browser: pictures that people upload, good and bad."""

import io

import numpy as np
import pytest
from PIL import Image

from tests.ui.conftest import SESSION
from tests.ui.pages import assert_sound, opened, png, uploader, values_table
from ui.server.limits import places
from ui.server.limits.uploads import Manager

pytestmark = pytest.mark.slow


def test_an_upload_replaces_the_picture_and_runs_each_network_once_a_size(forwards):
    at = opened()
    at.file_uploader[0].upload("grey bird.png", png(300, 200), "image/png").run()
    assert_sound(at)
    assert len(forwards) == 8
    assert any("grey bird" in c.value for c in at.caption)
    at.number_input(key="row").set_value(1).run()
    assert len(forwards) == 8


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.png", b"not a picture at all"),
        ("empty.png", b""),
        ("cut.jpg", png(400, 300, kind="JPEG")[:700]),
        ("dot.png", png(1, 1)),
        ("line.png", png(1, 5000)),
        ("[link](http://x.y) <b>.png", b"*"),
    ],
    ids=["text", "empty", "truncated", "dot", "line", "markup"],
)
def test_a_bad_upload_is_one_line_and_the_picture_stays(name, content):
    at = opened()
    at.file_uploader[0].upload(name, content, "image/png").run()
    assert_sound(at)
    assert len(at.error) == 1
    assert "\n" not in at.error[0].value
    assert "](http" not in at.error[0].value
    assert any("example" in c.value for c in at.caption)
    assert len(values_table(at)) == 2


def drop(at, name=None, content=b""):
    """Put a file into the uploader; without one, take away what is in it, as its cross does."""
    place = uploader(at, "upload")
    assert_sound((place.set_value((name, content, "x/y")) if name else place.set_value(None)).run())
    return next(one.value for one in at.caption if one.value.startswith("In use"))


def test_what_was_removed_does_not_come_back_with_a_bad_file():
    at = opened(beside="none", size="224")
    assert "grey" in drop(at, "grey.png", png(300, 200))
    assert "example" in drop(at)
    assert "example" in drop(at, "notes.png", b"no picture")
    assert len(at.error) == 1


def test_a_bad_file_that_is_removed_leaves_what_is_in_use():
    at = opened(beside="none", size="224")
    drop(at, "grey.png", png(300, 200))
    assert "grey" in drop(at, "notes.png", b"no picture")
    assert "grey" in drop(at)
    assert not at.error


def test_what_is_replaced_stays_until_the_other_is_read():
    at, store = opened(beside="none", size="224"), Manager("/x")
    with places.counted():
        drop(at, "grey.png", png(300, 200))
        store.get_upload_urls(SESSION, ["notes.png"])  # the browser asks, then removes
        assert "grey" in drop(at)
        assert "grey" in drop(at, "notes.png", b"no picture")
        assert len(at.error) == 1
        drop(at, "green.png", png(200, 300))
        assert "example" in drop(at)
        store.remove_session_files(SESSION)
        assert places.given(SESSION) == 0
    store.get_upload_urls(SESSION, ["a"])
    assert places.given(SESSION) == 0  # the store is as it was


@pytest.mark.parametrize("mode", ["P", "L", "RGBA", "I;16", "CMYK"])
def test_odd_pixel_formats_are_shown(mode):
    at = opened(beside="none")
    at.file_uploader[0].upload("odd.tif", png(64, 48, mode, "TIFF"), "image/tiff").run()
    assert_sound(at)
    assert not at.error


def deep():
    file = io.BytesIO()
    values = np.linspace(0, 4095, 48 * 64).astype(np.uint16).reshape(48, 64)
    Image.fromarray(values).save(file, "TIFF")
    return file.getvalue()


def test_what_was_assumed_about_an_upload_stands_below_it_and_can_be_said_otherwise():
    at = opened(beside="none")
    at.file_uploader[0].upload("deep.tif", deep(), "image/tiff").run()
    assert_sound(at)
    assert any("taken as 12 bits" in one.value for one in at.caption)
    assert (at.number_input(key="black").value, at.number_input(key="white").value) == (0, 4095)
    at.number_input(key="white").set_value(1000.0).run()
    assert_sound(at)
    assert any("from 0 to 1000, as asked" in one.value for one in at.caption)
    assert at.query_params["levels"] in ("0,1000", ["0,1000"])
    assert at.session_state["reference"].medium.levels == (0, 1000)
    at.number_input(key="black").set_value(2000.0).run()  # above white
    assert_sound(at)
    assert "Levels" in at.error[0].value
    assert at.number_input(key="black").value == 0
    at.button(key="levels-found").click().run()
    assert not at.error
    assert "levels" not in at.query_params
    assert at.session_state["reference"].medium.levels is None
    at.button(key="drop-upload").click().run()
    assert "black" not in {one.key for one in at.number_input}


def test_a_flat_picture_is_no_crash():
    at = opened()
    at.file_uploader[0].upload("flat.png", png(32, 32), "image/png").run()
    assert_sound(at)


def test_the_patch_of_a_picture_is_there_again_when_it_is_in_use_again():
    at = opened(beside="none", size="224")
    place = at.file_uploader[0]
    place.upload("grey.png", png(300, 200), "image/png").run()
    at.number_input(key="row").set_value(2).run()
    at.number_input(key="col").set_value(3).run()
    at.button(key="drop-upload").click().run()
    assert (at.number_input(key="row").value, at.number_input(key="col").value) != (2, 3)
    at.file_uploader[0].upload("again.png", png(300, 200), "image/png").run()
    assert (at.number_input(key="row").value, at.number_input(key="col").value) == (2, 3)
    assert not assert_sound(at).warning


def test_a_place_in_the_medium_before_moves_nothing():
    at = opened(beside="none", size="224")
    at.file_uploader[0].upload("grey.png", png(300, 200), "image/png").run()
    before = at.number_input(key="row").value
    # As a browser sends it that has not heard yet of the new medium: no hash, another place.
    at.query_params["at"] = "99,99"
    del at.query_params["sha256"]
    at.run()
    assert at.number_input(key="row").value == before
    assert not assert_sound(at).warning
