"""The Models page without a browser: what is bundled, what is published and its downloads."""

from dataclasses import replace

import pytest
import streamlit as st

from models.zoo import published
from models.zoo.published_row import Url
from tests.models.web import Site, serving
from tests.ui.pages import assert_sound, models_page, table, trees
from ui.models import published as published_model


def test_bundled_networks_are_listed_and_the_chosen_one_is_taken_apart():
    at = assert_sound(models_page())
    names = set(table(at, "What it is")["Id"])
    assert {"e2-birds", "e2-nl", "e2-cgnl"} <= names
    at.selectbox(key="bundled").set_value("e2-nl").run()
    assert "unit14  NL, dot product" in trees(assert_sound(at))[0]
    assert any("keys mapped" in m.value for m in at.markdown)


def test_every_published_network_is_listed_with_the_folder_of_downloads(tmp_path):
    at = assert_sound(models_page())
    listed = table(at, "Top-1 / top-5 %")
    assert list(listed["Id"]) == [row.id for row in published.PUBLISHED]
    assert set(listed["Here"]) == {"no"}
    captions = " ".join(caption.value for caption in at.caption)
    assert str(tmp_path / "cache").replace("_", r"\_").replace("-", r"\-") in captions
    assert "CGD authors" in captions
    assert len(table(at, "Why not")) == 2


def test_a_bundled_network_can_be_opened_in_explore():
    at = models_page()
    at.selectbox(key="bundled").set_value("e2-cgnl").run()
    at.button(key="use_bundled").click().run()
    assert assert_sound(at).selectbox(key="net").value == "e2-cgnl"


def test_a_trunk_without_a_block_is_opened_in_explore_at_the_ends_of_its_stages():
    at = models_page()
    at.selectbox(key="bundled").set_value("e2-birds").run()
    at.button(key="use_bundled").click().run()
    assert assert_sound(at).selectbox(key="net").value == "e2-birds"
    assert at.selectbox(key="block1").options == ["unit6", "unit14", "unit20"]


@pytest.fixture
def site(monkeypatch, cgnl_checkpoint):
    """A publisher that gives a tiny network as cgnl-cub-r50-cgnlx."""
    with serving(Site(cgnl_checkpoint)) as running:
        old = published.find("cgnl-cub-r50-cgnlx")
        row = replace(old, source=Url(running.url))
        rows = tuple(row if r.id == row.id else r for r in published.PUBLISHED)
        monkeypatch.setattr(published, "PUBLISHED", rows)
        monkeypatch.setitem(published_model._ROWS, row.id, row)
        yield running


def test_a_published_network_is_downloaded_inspected_used_and_removed(site):
    at = models_page()
    at.selectbox(key="published").set_value("cgnl-cub-r50-cgnlx").run()
    assert any("assumed" in info.value for info in at.info)
    at.button(key="download").click().run()
    assert "res4.4  CGNL, gaussian rbf" in trees(assert_sound(at))[-1]
    assert "the published file" in list(table(at, "Known from")["Known from"])
    assert len(site.asked) == 1
    at.button(key="remove").click().run()
    assert at.button(key="download")
    at.button(key="download").click().run()
    at.button(key="use").click().run()
    assert assert_sound(at).selectbox(key="net").value == "cgnl-cub-r50-cgnlx"
    assert "cgnl-cub-r50-cgnlx" in at.selectbox(key="net").options


def test_a_download_that_fails_is_one_line_and_the_page_goes_on(site):
    site.status = 404
    at = models_page()
    at.selectbox(key="published").set_value("cgnl-cub-r50-cgnlx").run()
    at.button(key="download").click().run()
    assert "404" in assert_sound(at).error[0].value
    assert at.button(key="download")


def test_a_download_shows_its_progress(site, monkeypatch):
    monkeypatch.setattr(published_model, "_REDRAWN_EVERY_S", 0)
    texts = []
    real = st.progress

    def progress(value, text=None):
        bar = real(value, text)
        draw = bar.progress
        bar.progress = lambda share, words: (texts.append((share, words)), draw(share, words))
        return bar

    monkeypatch.setattr(published_model.st, "progress", progress)
    at = models_page()
    at.selectbox(key="published").set_value("cgnl-cub-r50-cgnlx").run()
    at.button(key="download").click().run()
    shares = [share for share, _words in texts]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert "of 1.7 MB" in texts[-1][1]
