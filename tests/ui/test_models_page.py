"""The Models page without a browser: its tables, downloads, uploads, questions and refusals."""

from dataclasses import replace

import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from models import cache, published
from models.block_specs import CGNLSpec, NonLocalSpec
from models.build import build
from models.checkpoints import own
from models.gate_specs import CGDSpec
from models.sources import Url
from models.specs import CompactSpec, Preprocessing
from tests.conftest import make_tiny
from tests.models.test_catalogue import cgnl_state
from tests.models.web import Site, serving
from tests.paths import ROOT
from ui import own_model, published_model, session_models

APP = str(ROOT / "app.py")
HOSTILE = "<script>alert(1)</script> [x](http://evil) $x^2$ `code`"


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "cache"))
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def opened():
    return AppTest.from_file(APP, default_timeout=120).switch_page("pages/models.py").run()


def sound(at):
    assert not at.exception, [e.value for e in at.exception]
    return at


def tables(at):
    return [list(d.value.columns) for d in at.dataframe]


def table(at, column):
    return next(d.value for d in at.dataframe if column in d.value.columns)


def trees(at):
    return [code.value for code in at.code]


def uploaded(at, name, content):
    at.file_uploader(key="checkpoint").set_value((name, content, "application/octet-stream"))
    return at.run()


def saved(tmp_path, model, name="net.safetensors"):
    path = tmp_path / name
    own.write(path, model.network, model.class_names, "A tiny one")
    return path.read_bytes()


@pytest.fixture
def two_classes_of_names(tmp_path):
    """The bytes of a checkpoint that does not tell cgnl from cgnlx."""
    path = tmp_path / "theirs.pth"
    torch.save({"state_dict": cgnl_state(make_tiny(CGNLSpec(groups=8)))}, path)
    return path.read_bytes()


def test_bundled_networks_are_listed_and_the_chosen_one_is_taken_apart():
    at = sound(opened())
    names = set(table(at, "What it is")["Id"])
    assert {"r50n", "r50n-nl", "r50n-cgnl"} <= names
    at.selectbox(key="bundled").set_value("r50n-nl").run()
    assert "res4.4  NL, embedded gaussian" in trees(sound(at))[0]
    assert any("keys mapped" in m.value for m in at.markdown)


def test_every_published_network_is_listed_with_the_folder_of_downloads(tmp_path):
    at = sound(opened())
    listed = table(at, "Top-1 / top-5 %")
    assert list(listed["Id"]) == [row.id for row in published.PUBLISHED]
    assert set(listed["Here"]) == {"no"}
    captions = " ".join(caption.value for caption in at.caption)
    assert str(tmp_path / "cache").replace("_", r"\_").replace("-", r"\-") in captions
    assert "CGD authors" in captions
    assert len(table(at, "Why not")) == 4


def test_a_bundled_network_can_be_opened_in_explore():
    at = opened()
    at.selectbox(key="bundled").set_value("r50n-cgnl").run()
    at.button(key="use_bundled").click().run()
    assert sound(at).selectbox(key="net").value == "r50n-cgnl"


def test_a_network_without_a_block_cannot_be_opened_in_explore_and_says_why():
    at = opened()
    at.selectbox(key="bundled").set_value("r50n").run()
    assert at.button(key="use_bundled").disabled
    assert any("has neither" in caption.value for caption in at.caption)


@pytest.fixture
def site(monkeypatch, tmp_path):
    """A publisher that gives a tiny network as cgnl-cub-r50-cgnlx."""
    torch.save({"state_dict": cgnl_state(make_tiny(CGNLSpec(groups=8)))}, tmp_path / "t.pth")
    with serving(Site((tmp_path / "t.pth").read_bytes())) as running:
        old = published.find("cgnl-cub-r50-cgnlx")
        row = replace(old, source=Url(running.url))
        rows = tuple(row if r.id == row.id else r for r in published.PUBLISHED)
        monkeypatch.setattr(published, "PUBLISHED", rows)
        monkeypatch.setitem(published_model._ROWS, row.id, row)
        yield running


def test_a_published_network_is_downloaded_inspected_used_and_removed(site):
    at = opened()
    at.selectbox(key="published").set_value("cgnl-cub-r50-cgnlx").run()
    assert any("assumed" in info.value for info in at.info)
    at.button(key="download").click().run()
    assert "res4.4  CGNL, gaussian rbf" in trees(sound(at))[-1]
    assert "your answer" in list(table(at, "Known from")["Known from"])
    assert len(site.asked) == 1
    at.button(key="remove").click().run()
    assert at.button(key="download")
    at.button(key="download").click().run()
    at.button(key="use").click().run()
    assert sound(at).selectbox(key="net").value == "cgnl-cub-r50-cgnlx"
    assert "cgnl-cub-r50-cgnlx" in at.selectbox(key="net").options


def test_a_download_that_fails_is_one_line_and_the_page_goes_on(site):
    site.status = 404
    at = opened()
    at.selectbox(key="published").set_value("cgnl-cub-r50-cgnlx").run()
    at.button(key="download").click().run()
    assert "404" in sound(at).error[0].value
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
    at = opened()
    at.selectbox(key="published").set_value("cgnl-cub-r50-cgnlx").run()
    at.button(key="download").click().run()
    shares = [share for share, _words in texts]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert "of 1.7 MB" in texts[-1][1]


def test_an_uploaded_network_is_taken_apart_and_opened_in_explore(tmp_path):
    at = opened()
    at = uploaded(at, "my net.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    assert "ResNet-50, 8 channels wide" in trees(sound(at))[-1]
    at.button(key="use_own").click().run()
    assert sound(at).selectbox(key="net").value == "own-my_net"
    assert "yours" in at.selectbox(key="block1").help
    assert at.dataframe  # the exact values of the reference


def test_an_own_network_is_known_in_its_own_session_only(tmp_path):
    at = opened()
    at = uploaded(at, "mine.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    at.button(key="use_own").click().run()
    other = sound(AppTest.from_file(APP, default_timeout=120).run())
    assert "own-mine" in at.selectbox(key="net").options
    assert "own-mine" not in other.selectbox(key="net").options


def test_what_a_checkpoint_does_not_tell_is_asked_and_never_assumed(two_classes_of_names):
    at = uploaded(opened(), "model_best.pth.tar", two_classes_of_names)
    question = next(s for s in sound(at).selectbox if s.key.startswith("answer-kernel"))
    assert question.value is None
    assert not [b for b in at.button if b.key == "use_own"]
    question.set_value("cgnlx").run()
    assert "gaussian rbf" in trees(sound(at))[-1]
    assert "your answer" in list(table(at, "Known from")["Known from"])


def test_answers_to_one_file_are_not_taken_over_to_the_next(two_classes_of_names):
    at = uploaded(opened(), "model_best.pth.tar", two_classes_of_names)
    next(s for s in at.selectbox if s.key.startswith("answer-")).set_value("cgnlx").run()
    at = uploaded(at, "model_last.pth.tar", two_classes_of_names)
    assert next(s for s in sound(at).selectbox if s.key.startswith("answer-")).value is None


@pytest.mark.parametrize(
    "content", [b"", b"<!doctype html><p>no</p>", b"PK\x03\x04cut", b"\x80\x02}q\x00.", b"x" * 99]
)
def test_a_file_that_is_no_checkpoint_is_one_line_and_nothing_changes(tmp_path, content):
    at = uploaded(opened(), "net.pth", content)
    assert len(sound(at).error) == 1
    assert "\n" not in at.error[0].value
    assert not [b for b in at.button if b.key == "use_own"]


def test_a_bad_file_after_a_good_one_leaves_the_good_one_in_use(tmp_path):
    at = opened()
    at = uploaded(at, "mine.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    at.button(key="use_own").click().run()
    at.switch_page("pages/models.py").run()
    at = uploaded(at, "bad.pth", b"not weights")
    assert len(sound(at).error) == 1
    at.switch_page("pages/explore.py").run()
    assert "own-mine" in sound(at).selectbox(key="net").options


def test_a_hostile_file_name_is_shown_letter_for_letter(tmp_path):
    content = saved(tmp_path, make_tiny(NonLocalSpec()))
    at = sound(uploaded(opened(), f"{HOSTILE}.safetensors", content))
    shown = next(m.value for m in at.markdown if "alert" in m.value)
    assert r"\<script\>" in shown
    assert not any(m.allow_html for m in at.markdown)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("model_best.pth.tar", "model_best.pth.tar"),
        ("../../etc/passwd.pth", "passwd.pth"),
        ("C:\\x\\I3D_NLN_8x8_R50.pkl", "I3D_NLN_8x8_R50.pkl"),
        ("...", "checkpoint"),
        ("", "checkpoint"),
        ("über net\n.pt", "_ber_net_.pt"),
        ("n" * 300 + ".pth", "n" * 116 + ".pth"),
    ],
)
def test_a_users_file_name_never_leads_out_of_its_folder(name, kept):
    assert own_model.file_name(name) == kept


def test_a_path_is_never_asked_for():
    assert {t.key for t in sound(opened()).text_input} == set()


def test_a_gated_network_is_shown_on_its_own_page(tmp_path):
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(32, 32, stride=4))
    state = {f"module.{key}": value for key, value in build(spec).state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "gated.pth")
    at = uploaded(opened(), "model_best.pth", (tmp_path / "gated.pth").read_bytes())
    assert at.button(key="use_own").label == "Look at its gates"
    at.button(key="use_own").click().run()
    assert sound(at).selectbox(key="gated").value == "own-model_best"


def test_a_session_keeps_its_newest_networks(monkeypatch):
    monkeypatch.setattr(session_models.st, "session_state", {})
    for name in ("a", "b", "c", "b", "d", "e"):
        session_models.add(replace(make_tiny(NonLocalSpec()), id=name), f"net {name}")
    assert [entry.id for entry in session_models.entries()] == ["b", "d", "e"]
    assert session_models.get("a") is None
    assert session_models.get("e").id == "e"
