"""Two pictures in a real browser: the second follows the pointer over the first, live."""

from playwright.sync_api import expect

from tests.browser.bare.bare_picker import assert_same_picture, drawn, painted
from tests.browser.conftest import at_rest, cell_of, hover, open_explore
from viz.attention import matches, pipeline, queries
from viz.attention.kinds.registry import kind_of
from viz.examples import bird
from viz.rendering.look import Look
from viz.types import Cell


def joined(name):
    """Return the capture of the second picture, and the factors of maps over either."""
    model = pipeline.load(name)
    a, b = (pipeline.capture(model, clip, "fit", 224) for clip in (bird.clip(), bird.second()))
    return b, matches.joined(a, queries.block_of(a), b, queries.block_of(b))


def test_both_pictures_follow_the_pointer_and_the_best_matches_are_numbered(page, server):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _frame: sent.append(1)))
    open_explore(page, server, "?size=224")
    page.get_by_role("button", name="two birds").click()
    expect(page.locator("canvas.picture")).to_have_count(4)
    at_rest(page)
    page.wait_for_timeout(500)
    before, seen = len(sent), []
    pairs = [joined("e2-nl"), joined("e2-cgnl")]
    for x, y in ((0.61, 0.27), (0.12, 0.75)):
        hover(page, x, y)
        cell = Cell(0, *cell_of(page))
        for k, (capture, (_first, second)) in enumerate(pairs):
            attention = kind_of(second).map(second, cell)
            clip = bird.second()
            wanted = painted(clip.frames[0], capture.geometry, attention, Look())
            assert_same_picture(drawn(page, 2 * k + 1), wanted)
            [(best, _value)] = matches.best(attention, 1)
            expect(page.locator(".readout")).to_contain_text(
                f"best match row {best.y} column {best.x}"
            )
        seen.append(page.locator(".match").first.get_attribute("style"))
    assert seen[0] != seen[1]
    assert len(sent) == before
    expect(page.locator(".match:visible")).to_have_count(6)
    expect(page.get_by_text("Drawn instead: cosine of its input").first).to_be_visible()
    expect(page.get_by_label("Large map", exact=True)).to_have_count(0)
    expect(page.get_by_role("button", name="two birds")).to_be_disabled()
    page.reload()
    expect(page.locator("canvas.picture")).to_have_count(4)
    at_rest(page)
    page.get_by_role("button", name="Remove the second picture").click()
    expect(page.get_by_label("Large map", exact=True)).to_have_count(1)
    expect(page.get_by_role("button", name="two birds")).to_be_enabled()
