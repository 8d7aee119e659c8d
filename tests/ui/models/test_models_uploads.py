"""The Models page without a browser: networks of one's own, their questions and refusals."""

import io
from dataclasses import replace

import pytest
import streamlit as st
import torch
from streamlit.runtime.scriptrunner import RerunData, RerunException, get_script_run_ctx

from models.build import build
from models.checkpoints import own
from models.specs.block import NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, Preprocessing
from tests.conftest import make_tiny
from tests.models.zoo.test_catalogue import cgnl_state
from tests.ui.pages import app, assert_sound, models_page, table, trees
from ui.models import own as own_model
from ui.server import visitor, waiting
from ui.session import own_networks

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert(1)</script> [x](http://evil) $x^2$ `code`"


def uploaded(at, name, content):
    at.file_uploader(key="checkpoint").set_value((name, content, "application/octet-stream"))
    return at.run()


def saved(tmp_path, model, name="net.safetensors"):
    path = tmp_path / name
    own.write(path, model.network, model.class_names, "A tiny one")
    return path.read_bytes()


def test_an_uploaded_network_is_taken_apart_and_opened_in_explore(tmp_path):
    at = models_page()
    at = uploaded(at, "my net.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    assert "ResNet-50, 8 channels wide" in trees(assert_sound(at))[-1]
    at.button(key="use_own").click().run()
    assert assert_sound(at).selectbox(key="net").value == "own-my_net"
    assert "yours" in at.selectbox(key="block1").help
    assert at.table  # the exact values of the reference


def test_an_own_network_is_known_in_its_own_session_only(tmp_path):
    at = models_page()
    at = uploaded(at, "mine.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    at.button(key="use_own").click().run()
    other = assert_sound(app().run())
    assert "own-mine" in at.selectbox(key="net").options
    assert "own-mine" not in other.selectbox(key="net").options


def test_what_a_checkpoint_does_not_tell_is_asked_and_never_assumed(cgnl_checkpoint):
    at = uploaded(models_page(), "model_best.pth.tar", cgnl_checkpoint)
    question = next(s for s in assert_sound(at).selectbox if s.key.startswith("answer-kernel"))
    assert question.value is None
    assert not [b for b in at.button if b.key == "use_own"]
    question.set_value("cgnlx").run()
    assert "gaussian rbf" in trees(assert_sound(at))[-1]
    assert "your answer" in list(table(at, "Known from")["Known from"])


def test_answers_to_one_file_are_not_taken_over_to_the_next(cgnl_checkpoint):
    at = uploaded(models_page(), "model_best.pth.tar", cgnl_checkpoint)
    next(s for s in at.selectbox if s.key.startswith("answer-")).set_value("cgnlx").run()
    at = uploaded(at, "model_last.pth.tar", cgnl_checkpoint)
    assert next(s for s in assert_sound(at).selectbox if s.key.startswith("answer-")).value is None


def test_what_a_file_name_decided_can_be_changed_and_taken_back(cgnl_checkpoint):
    at = uploaded(models_page(), "r50_cgnlx.pth.tar", cgnl_checkpoint)
    assert "gaussian rbf" in trees(assert_sound(at))[-1]
    changed = next(s for s in at.selectbox if s.key.startswith("change-kernel"))
    assert changed.value == "cgnlx"
    assert "file name" in changed.label
    changed.set_value("cgnl").run()
    assert "dot product" in trees(assert_sound(at))[-1]
    at.button(key="take_back").click().run()
    assert "gaussian rbf" in trees(assert_sound(at))[-1]


@pytest.fixture
def pressed(monkeypatch):
    """Stop is pressed, once, half-way through the first checkpoint that is read."""
    buttons, pressed, draw, read = {}, [], st.button, own_model._reader()

    def button(label, *args, **how):
        buttons[label] = how
        return draw(label, *args, **how)

    def reading(path, weights):
        visitor.stop_if_ended(0.5)
        if not pressed:
            pressed.append(buttons["Stop"])
            buttons["Stop"]["on_click"](*buttons["Stop"]["args"])
            page = get_script_run_ctx().page_script_hash
            raise RerunException(RerunData(page_script_hash=page))  # as Streamlit does then
        return read(path, weights)

    monkeypatch.setattr(waiting, "SOON_S", 0.0)
    monkeypatch.setattr(st, "button", button)
    monkeypatch.setattr(own_model, "_reader", lambda: reading)
    return pressed


def test_reading_a_checkpoint_is_stopped_and_started_again(tmp_path, pressed):
    at = models_page()
    at = uploaded(at, "my net.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    assert len(pressed) == 1
    assert not assert_sound(at).error  # nothing is wrong
    assert "Reading my net.safetensors: stopped" in at.info[-1].value.replace("\\", "")
    [again] = [one for one in at.button if one.label == "Start again"]
    again.click().run()
    assert "ResNet-50, 8 channels wide" in trees(assert_sound(at))[-1]
    assert not [one for one in at.info if "stopped" in one.value]


def test_a_change_that_cannot_be_is_one_line_and_can_be_taken_back(cgnl_checkpoint):
    at = uploaded(models_page(), "r50_cgnl.pth.tar", cgnl_checkpoint)
    next(t for t in at.text_input if t.key.startswith("change-input")).set_value("many").run()
    assert "whole number" in assert_sound(at).error[0].value
    at.button(key="take_back").click().run()
    assert not assert_sound(at).error


def test_class_names_are_uploaded_beside_the_network(cgnl_checkpoint, cgnl_model):
    at = uploaded(models_page(), "r50_cgnl.pth.tar", cgnl_checkpoint)
    names = "\n".join(f"gull {k}" for k in range(cgnl_model.spec.num_classes)).encode()
    upload = next(f for f in at.file_uploader if f.key.startswith("classes-"))
    upload.set_value(("names.txt", names, "text/plain")).run()
    at.button(key="use_own").click().run()
    shares = next(d.value for d in assert_sound(at).table if "Share" in d.value.columns)
    assert shares["Class"].iloc[0].startswith("gull")
    at.button(key="pin").click().run()
    (view, *_) = at.session_state["pins"][0].reference.views
    assert view.network.classes[:2] == ("gull 0", "gull 1")


@pytest.mark.parametrize("name", ["net", "net.ckpt", "net.bin", "epoch_12"])
def test_a_checkpoint_may_have_any_ending_or_none(cgnl_checkpoint, name):
    at = uploaded(models_page(), name, cgnl_checkpoint)
    assert [s for s in assert_sound(at).selectbox if s.key.startswith("answer-kernel")]


@pytest.mark.parametrize(
    "content", [b"", b"<!doctype html><p>no</p>", b"PK\x03\x04cut", b"\x80\x02}q\x00.", b"x" * 99]
)
def test_a_file_that_is_no_checkpoint_is_one_line_and_nothing_changes(tmp_path, content):
    at = uploaded(models_page(), "net.pth", content)
    assert len(assert_sound(at).error) == 1
    assert "\n" not in at.error[0].value
    assert not [b for b in at.button if b.key == "use_own"]


def test_a_bad_file_after_a_good_one_leaves_the_good_one_in_use(tmp_path):
    at = models_page()
    at = uploaded(at, "mine.safetensors", saved(tmp_path, make_tiny(NonLocalSpec())))
    at.button(key="use_own").click().run()
    at.switch_page("pages/models.py").run()
    at = uploaded(at, "bad.pth", b"not weights")
    assert len(assert_sound(at).error) == 1
    at.switch_page("pages/explore.py").run()
    assert "own-mine" in assert_sound(at).selectbox(key="net").options


def test_a_hostile_file_name_is_shown_letter_for_letter(tmp_path):
    content = saved(tmp_path, make_tiny(NonLocalSpec()))
    at = assert_sound(uploaded(models_page(), f"{HOSTILE}.safetensors", content))
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
    # The name of a network of a library is; a name that means a path is refused.
    at = assert_sound(models_page())
    assert {t.key for t in at.text_input} == {"library-search"}
    at.text_input(key="library-search").set_value("hf:/etc").run()
    at.button(key="library-load").click().run()
    assert "is a place on a machine" in assert_sound(at).error[0].value


def test_a_network_without_a_classifier_is_looked_at_and_predicts_nothing(cgnl_model):
    state = {k: v for k, v in cgnl_state(cgnl_model).items() if "fc." not in k}
    packed = io.BytesIO()
    torch.save({"ema": state, "criterion.weight": torch.ones(3)}, packed)
    at = uploaded(models_page(), "r50_cgnl.ckpt", packed.getvalue())
    assert "no classifier" in trees(assert_sound(at))[-1]
    at.button(key="use_own").click().run()
    assert any("holds no classifier" in c.value for c in assert_sound(at).caption)


def test_two_sets_of_weights_are_asked_about(cgnl_model):
    state, packed = cgnl_state(cgnl_model), io.BytesIO()
    torch.save({"model": state, "ema": dict(state)}, packed)
    at = uploaded(models_page(), "r50_cgnl.ckpt", packed.getvalue())
    question = next(s for s in assert_sound(at).selectbox if s.key.startswith("answer-weights"))
    assert list(question.options) == ["model", "ema"]
    question.set_value("ema").run()
    assert trees(assert_sound(at))


def test_a_key_that_is_not_known_can_be_left_out(cgnl_model):
    state, packed = cgnl_state(cgnl_model), io.BytesIO()
    torch.save({**state, "module.adapter.w": torch.ones(3)}, packed)
    at = uploaded(models_page(), "r50_cgnl.ckpt", packed.getvalue())
    assert "adapter" in assert_sound(at).error[0].value
    field = next(t for t in at.text_input if t.key.startswith("change-ignore"))
    field.set_value("*adapter*").run()
    assert not assert_sound(at).error
    assert "left out because you said so" in list(table(at, "Why")["Why"])


def test_a_gated_network_is_shown_on_its_own_page(tmp_path):
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(32, 32, stride=4))
    state = {f"module.{key}": value for key, value in build(spec).state_dict().items()}
    torch.save({"state_dict": state}, tmp_path / "gated.pth")
    at = uploaded(models_page(), "model_best.pth", (tmp_path / "gated.pth").read_bytes())
    assert at.button(key="use_own").label == "Look at its gates"
    at.button(key="use_own").click().run()
    assert assert_sound(at).selectbox(key="gated").value == "own-model_best"


def test_a_session_keeps_its_newest_networks(monkeypatch):
    monkeypatch.setattr(st, "session_state", {})
    for name in ("a", "b", "c", "b", "d", "e"):
        own_networks.add(replace(make_tiny(NonLocalSpec()), id=name), f"net {name}")
    assert [entry.id for entry in own_networks.entries()] == ["b", "d", "e"]
    assert own_networks.get("a") is None
    assert own_networks.get("e").id == "e"
