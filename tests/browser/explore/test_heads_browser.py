"""Heads of self-attention in a real browser: they follow the pointer; a click shows one large."""

from urllib.parse import quote

import numpy as np
from playwright.sync_api import expect

from tests.browser.bare.bare_picker import assert_same_picture, drawn, painted
from tests.browser.conftest import at_rest, cell_of, expect_address, hover, open_explore
from viz.attention import pipeline, queries
from viz.attention.choice import MapChoice
from viz.attention.kinds.registry import kind_of
from viz.examples import bird
from viz.rendering.look import Look
from viz.types import Cell

VIT = "timm:vit_tiny_patch16_224?pretrained=no"
SWIN = "timm:swin_tiny_patch4_window7_224?pretrained=no"


def opened(page, server, name, block):
    open_explore(page, server, f"?net={quote(name, safe='')}&beside=none&block1={block}")
    return pipeline.capture(pipeline.load(name), bird.clip())


def map_at(capture, block, cell, choice):
    found = queries.block_of(capture, block)
    return kind_of(found).map(found, Cell(0, *cell), choice)


def assert_shows(page, capture, attention):
    wanted = painted(bird.clip().frames[0], capture.geometry, attention, Look())
    assert_same_picture(drawn(page, 0), wanted)


def test_every_head_follows_the_pointer_without_the_server(page, server):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda _frame: sent.append(1)))
    capture = opened(page, server, VIT, "blocks.5.attn")
    expect(page.locator(".title").first).to_contain_text("blocks.5.attn")
    tags = ["h0", "h1", "h2", "mean", "maximum"]
    expect(page.locator(".thumb")).to_have_count(len(tags))
    assert page.locator(".thumb span").all_inner_texts() == tags
    page.wait_for_timeout(500)
    before = len(sent)
    seen = []
    for x, y in ((0.3, 0.82), (0.62, 0.27)):
        hover(page, x, y)
        mean = map_at(capture, "blocks.5.attn", cell_of(page), MapChoice("mean"))
        assert_shows(page, capture, mean)
        seen.append(drawn(page))
    assert len(sent) == before
    assert (seen[0] != seen[1]).any()


def test_a_click_on_a_head_shows_it_large_and_the_link_keeps_it(page, server):
    capture = opened(page, server, VIT, "blocks.5.attn")
    page.locator(".thumb").nth(2).click()
    at_rest(page)
    expect(page.locator(".caption").first).to_contain_text("head 2")
    expect_address(page, "heads-focus=head")
    hover(page, 0.5, 0.5)
    assert_shows(
        page, capture, map_at(capture, "blocks.5.attn", cell_of(page), MapChoice("head", 2))
    )


def test_a_window_is_lit_and_nothing_outside_it(page, server):
    block = "layers.0.blocks.1.attn"
    capture = opened(page, server, SWIN, block)
    hover(page, 0.55, 0.45)
    attention = map_at(capture, block, cell_of(page), MapChoice("mean"))
    assert np.count_nonzero(attention.values) == 49
    assert_shows(page, capture, attention)
