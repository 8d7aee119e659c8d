"""The page of a view: its lines and width, and what is written on it."""

import pytest

from tests.viz.figure.view.conftest import grey, moving, pixels, viewed
from viz.figure.page.layout import TALLEST_MM
from viz.figure.panels.presets import TABLE


def lines_of(made):
    """Return how many panels stand in each line of the page."""
    tops = [round(place.box.top, 6) for place in made.plan().places]
    return [tops.count(top) for top in sorted(set(tops))]


def test_a_clip_is_rows_of_eight_frames_for_every_network():
    assert lines_of(viewed(grey(11), moving(11))) == [8, 3]
    assert lines_of(viewed(grey(11), moving(11), moving(11))) == [8, 3, 8, 3]
    assert lines_of(viewed(grey(64), moving(64))) == [8] * 8
    one, two = (viewed(grey(11), *[moving(11)] * k).plan() for k in (1, 2))
    assert two.width == one.width
    assert 1.8 * one.height < two.height < 2 * one.height


def test_of_a_still_picture_the_networks_stand_side_by_side():
    assert lines_of(viewed(grey(1), *[moving(1)] * 3)) == [3]


@pytest.mark.parametrize(
    ("frames", "height", "width"),
    [(8, 60, 1800), (40, 160, 90), (2, 700, 1300), (3, 16, 16), (1, 40, 2700), (1, 700, 70)],
)
def test_the_page_is_as_wide_as_its_preset_says_and_panels_keep_the_aspect(frames, height, width):
    made = viewed(grey(frames, height, width), moving(frames), moving(frames))
    plan = made.plan()
    assert plan.width == TABLE["view"].layout.width_mm
    assert plan.height < TALLEST_MM
    assert pixels(made).shape[:2] == (
        round(plan.height / 25.4 * 100), int(plan.width / 25.4 * 100)
    )  # fmt: skip
    for place in plan.places:
        wide, high = place.box.right - place.box.left, place.box.bottom - place.box.top
        assert high == pytest.approx(wide * height / width, abs=25.4 / 100 / 2 + 1e-6)


def test_a_huge_picture_is_no_larger_a_file_than_the_page():
    assert TABLE["view"].layout.dpi == 300
    saved = pixels(viewed(grey(1, 40, 4000), moving(1), dpi=300))
    assert saved.shape[1] == int(183 / 25.4 * 300)


@pytest.mark.parametrize("frames", [1, 2])
@pytest.mark.parametrize("title", ["a $\\frac{$ b", "<b>x</b>", "a_b^c", "\\n {x}"])
def test_a_foreign_title_is_only_text(title, frames):
    made = viewed(grey(frames), moving(frames), label=title)
    # A row's title runs upward, and breaks where the row is low.
    said = "".join(words.text for words in made.plan().words).replace(" ", "")
    assert title.replace(" ", "") in said
    assert pixels(made).std() > 0


def test_a_still_picture_says_which_cell_the_reference_is_and_a_clip_its_times():
    still = viewed(grey(1), moving(1), at=(3.5 * 32, 1.5 * 32))
    said = [words.text for words in still.plan().words]
    assert said[:2] == ["net 0", "reference row 1, column 3"]
    clip = [words.text for words in viewed(grey(3), moving(3)).plan().words]
    assert clip[:3] == ["0.00 s", "0.25 s", "0.50 s"]
    assert "net 0" in clip
