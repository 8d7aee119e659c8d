"""Files that go into the Explore page and come out of it, in a real browser."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import expect

from benchmarks.browser.dropping import drop
from tests.browser.conftest import (
    SIZE,
    at_rest,
    expect_address,
    hover,
    open_explore,
    pixels,
    rendered,
    saved,
)
from viz.attention import queries
from viz.attention.kinds.registry import kind_of
from viz.examples import bird
from viz.figure.recipe import recipe_json
from viz.types import Cell


def photo_like(width=500, height=333):
    """The example, turned and scaled, as a JPEG whose EXIF says how to turn it back."""
    turned = bird.draw().transpose(Image.Transpose.ROTATE_90).resize((height, width))
    exif = Image.Exif()
    exif[0x0112] = 6
    packed = io.BytesIO()
    turned.save(packed, "JPEG", exif=exif)
    return packed.getvalue()


def test_an_uploaded_photo_is_turned_upright_explored_and_saved(page, server, tmp_path):
    open_explore(page, server)
    before = pixels(page)
    drop(page, "my photo.jpg", photo_like())
    expect(page.get_by_text("In use: my photo.jpg, 500 x 333 pixels")).to_be_visible()
    at_rest(page)
    assert pixels(page) != before
    width, height = Image.open(io.BytesIO(pixels(page))).size
    assert (width, height) == (500, 333)
    hover(page, 0.5, 0.5)
    page.mouse.move(3, 3)
    (tmp_path / "my photo.jpg").write_bytes(photo_like())
    picture = saved(page, "PNG")
    assert rendered(tmp_path, saved(page, "Recipe")) == picture


MARKUP = "<img src=x onerror=window.pwned=1>.png"
BAD = {
    "notes.txt": (b"hello", "notes.txt is not a picture"),
    "cut.jpg": (photo_like()[:900], "cut.jpg"),
    "nothing.png": (b"", "empty"),
    MARKUP: (b"no picture", MARKUP),
}


def test_bad_files_are_one_line_each_whose_name_is_text_and_the_picture_stays(page, server):
    open_explore(page, server)
    before = pixels(page)
    for name, (content, says) in BAD.items():
        drop(page, name, content)
        error = page.locator("[data-testid=stAlert]")
        expect(error).to_contain_text(says)
        expect(error).to_have_count(1)
        at_rest(page)
        assert pixels(page) == before
    assert page.evaluate("window.pwned") is None


def test_after_a_bad_file_address_and_picture_are_those_that_were_in_use(page, server):
    open_explore(page, server)
    drop(page, "photo.jpg", photo_like())
    expect(page.get_by_text("In use: photo.jpg")).to_be_visible()
    at_rest(page)
    expect_address(page, "sha256=")
    address = page.url
    for name in ("notes.txt", "words.txt"):
        drop(page, name, b"hello")
        expect(page.get_by_text(f"{name} is not a picture")).to_be_visible()
        at_rest(page)
        page.wait_for_timeout(300)
        assert page.url == address
    drop(page, "photo.jpg", photo_like())
    expect(page.get_by_text("words.txt is not a picture")).to_have_count(0)
    page.get_by_role("button", name="Remove photo.jpg").click()
    expect(page.get_by_text("In use: example")).to_be_visible()
    drop(page, "notes.txt", b"hello")
    expect(page.get_by_text("notes.txt is not a picture")).to_be_visible()
    at_rest(page)
    assert page.get_by_text("In use: example").count() == 1  # what was removed is not back


def test_the_three_files_arrive_and_the_picture_is_what_its_recipe_renders(
    page, server, captures, tmp_path
):
    open_explore(page, server, f"?size={SIZE}&at=9%2C17")
    lead, picture = captures["e2-nl"], saved(page, "PNG")
    maps = np.load(io.BytesIO(saved(page, "Maps")), allow_pickle=False)
    block = queries.block_of(lead)
    row = kind_of(block).map(block, Cell(0, 9, 17))
    np.testing.assert_allclose(maps["values_e2-nl"], row.values[None], rtol=1e-4, atol=1e-7)
    assert list(maps["cell_e2-nl"]) == [0, 9, 17]
    recipe = saved(page, "Recipe")
    (reference,) = recipe_json.loads(recipe).references
    assert lead.geometry.cell_at(*reference.at, block.query_grid) == (9, 17)
    assert reference.medium.sha256 == bird.clip().sha256
    assert rendered(tmp_path, recipe) == picture
