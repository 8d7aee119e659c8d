"""The Explore page with a clip as a person uses it: a real browser, a real server."""

import io
import re

import av
import pytest
from playwright.sync_api import expect

from benchmarks.browser.dropping import drop
from tests.browser.bare.bare_clips import over_frame, strip
from tests.browser.conftest import at_rest, expect_address, open_explore, rendered, saved
from tests.viz.drawn_clips import frames, video

KICK = "?example=kick&threshold=0.4"
FRAME = ".film .frame canvas"


def picker(page):
    return page.locator(".picker")


@pytest.fixture
def kick(page, server):
    return open_explore(page, server, KICK)


def test_every_frame_follows_the_pointer_and_what_is_pinned_is_saved(kick, tmp_path):
    expect(kick.locator(FRAME)).to_have_count(16)
    assert over_frame(kick, 6, 0.9, 0.9)[0] == 6
    before = [frame for panel in (0, 1) for frame in strip(kick, panel)]
    assert over_frame(kick, 2, 0.35, 0.3)[0] == 2
    after = [frame for panel in (0, 1) for frame in strip(kick, panel)]
    changed = [bool((a != b).any()) for a, b in zip(before, after, strict=True)]
    assert sum(changed[:8]) >= 2, "the NL heat did not follow over the frames"
    assert sum(changed[8:]) >= 2, "the CGNL heat did not follow over the frames"
    frame, row, col = over_frame(kick, 5, 0.53, 0.55)
    kick.mouse.down()
    kick.mouse.up()
    expect(kick.get_by_label("Frame", exact=True)).to_have_value("5")
    expect(kick.get_by_label("Row", exact=True)).to_have_value(str(row))
    at_rest(kick)
    assert frame == 5
    expect_address(kick, f"at=5%2C{row}%2C{col}&")
    picture = saved(kick, "PNG")
    assert rendered(tmp_path, saved(kick, "Recipe")) == picture
    kick.get_by_role("button", name="Make the MP4").click()
    expect(kick.get_by_role("button", name=re.compile("Save the MP4"))).to_be_visible()
    expect(kick.locator("video")).to_be_visible()
    with av.open(io.BytesIO(saved(kick, re.compile("Save the MP4")))) as container:
        assert sum(1 for _ in container.decode(video=0)) == 8


def test_it_plays_pauses_steps_by_key_and_stays_when_a_clip_is_bad(kick):
    kick.get_by_role("button", name="Play").click()
    first = picker(kick).get_attribute("data-frame")
    expect(picker(kick)).not_to_have_attribute("data-frame", first)
    kick.get_by_role("button", name="Pause").click()
    stopped = int(picker(kick).get_attribute("data-frame"))
    kick.wait_for_timeout(700)
    assert int(picker(kick).get_attribute("data-frame")) == stopped
    kick.locator("canvas.picture").first.focus()
    kick.keyboard.press(".")
    expect(picker(kick)).to_have_attribute("data-frame", str((stopped + 1) % 8))
    drop(kick, "talk.mp4", b"\x00\x00\x00\x18ftypisom" + bytes(60))
    error = kick.locator("[data-testid=stAlert]")
    expect(error).to_have_count(1)
    expect(error).to_contain_text("talk.mp4")
    at_rest(kick)
    expect(kick.locator(FRAME)).to_have_count(16)
    over_frame(kick, 1, 0.5, 0.5)


def test_an_uploaded_video_is_sampled_and_comes_back_after_a_bad_file(page, server):
    open_explore(page, server, "?net=e2-nl&beside=none&size=224")
    drop(page, "walk.mp4", video(frames(23, 62, 98)))
    expect(page.get_by_text("In use: walk.mp4")).to_be_visible()
    at_rest(page)
    expect(page.locator(FRAME)).to_have_count(8)
    over_frame(page, 3, 0.5, 0.5)
    drop(page, "bad.mp4", b"text")
    expect(page.locator("[data-testid=stAlert]")).to_contain_text("bad.mp4")
    expect(page.get_by_text("In use: walk.mp4")).to_be_visible()
    at_rest(page)
    expect(page.locator(FRAME)).to_have_count(8)


def test_stop_stops_a_movie_and_says_so(page, server):
    open_explore(page, server, f"{KICK}&net=e2-nl&beside=none&size=224&sampling=32 x 2")
    # Animated WebP takes longest to encode: there is time to change one's mind.
    page.get_by_role("radio", name="Animated WebP").click()
    page.get_by_role("button", name="Make the Animated WebP").click()
    page.get_by_role("button", name="Stop").dispatch_event("click")
    expect(page.get_by_text("nothing of the movie is kept")).to_be_visible()
    at_rest(page)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("Save the Animated WebP"))).to_have_count(0)


def test_a_movie_that_was_made_moves_on_the_page(page, server):
    open_explore(page, server, f"{KICK}&net=e2-nl&beside=none&size=224&sampling=4 x 8")
    for title in ("GIF", "Animated WebP"):
        page.get_by_role("radio", name=title).click()
        page.get_by_role("button", name=f"Make the {title}").click()
        movie = page.get_by_alt_text("The movie of the view")
        expect(page.get_by_role("button", name=re.compile(f"Save the {title}"))).to_be_visible()
        at_rest(page)
        seen = {movie.screenshot() for _ in range(9) if not page.wait_for_timeout(150)}
        assert len(seen) > 1, title
