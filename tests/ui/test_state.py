"""The register of session keys: complete, alone in touching the session, and true of the app."""

import ast
import re

import pytest
import streamlit as st

from models.build import build
from models.loaded import LoadedModel
from models.specs.block import NonLocalSpec
from models.specs.gate import CGDSpec
from models.specs.network import CompactSpec, ModelSpec, Preprocessing
from tests.conftest import make_tiny
from tests.paths import ROOT
from tests.ui.figure.test_figure_page import bird, place, recipe_of
from tests.ui.models.test_models_uploads import saved, uploaded
from tests.ui.pages import app, assert_sound, opened, png
from tests.viz.evaluation.drawn_birds import cub
from tests.viz.tiny_detectors import c4
from ui import state
from ui.numbers.data import choose
from ui.numbers.evaluate import evaluated as evaluation
from ui.server import settings
from viz.attention.kinds.registry import KINDS
from viz.figure.recipe import recipe_json
from viz.figure.recipe.recipe import Medium

SOURCES = [*(ROOT / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py"), ROOT / "app.py"]


def fits(value, holds):
    """Tell whether a value is of the type that the register names; classes go by their names."""
    return _fits(value, ast.parse(holds, mode="eval").body)


def _fits(value, told):
    match told:
        case ast.BinOp():
            return _fits(value, told.left) or _fits(value, told.right)
        case ast.Constant(None):
            return value is None
        case ast.Name(name):
            return name in {one.__name__ for one in type(value).__mro__}
        case ast.Subscript(ast.Name(name), inner):
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return type(value).__name__ == name and _items_fit(value, parts)
    raise AssertionError(ast.dump(told))


def _items_fit(value, parts):
    if isinstance(value, dict):
        pairs = [(key, one) for key, one in value.items()]
        return all(_fits(key, parts[0]) and _fits(one, parts[1]) for key, one in pairs)
    if isinstance(value, list) or isinstance(parts[-1], ast.Constant):  # list[X], tuple[X, ...]
        return all(_fits(one, parts[0]) for one in value)
    return len(value) == len(parts) and all(map(_fits, value, parts))


@pytest.mark.parametrize(
    ("value", "holds", "expected"),
    [
        (3, "int", True), (True, "int", True), (3, "bool", False), (None, "int | None", True),
        (3.0, "int | None", False), ("a", "str | None", True), ([], "list[str]", True),
        (["a", 3], "list[str]", False), (("a", "b"), "tuple[str, str]", True),
        (("a",), "tuple[str, str]", False), (("a", b""), "tuple[str, bytes] | None", True),
        (("a", "b", "c"), "tuple[str, ...]", True), ({"a": (1, "b")}, "dict[str, tuple[int, str]]",
                                                      True),
        ({"a": (1, 2)}, "dict[str, tuple[int, str]]", False), (("a",), "list[str]", False),
        (KINDS["gates"], "MapKind", True),
    ],
)  # fmt: skip
def test_a_value_fits_what_the_register_says(value, holds, expected):
    assert fits(value, holds) == expected


def test_every_key_has_a_name_of_its_own_and_a_default_that_fits():
    keys = [one for one in vars(state).values() if isinstance(one, state.Key)]
    assert len({key.name for key in keys}) == len(keys) == len(state.KEYS)
    for key in keys:
        assert key.default is None or fits(key.default, key.holds), key


def test_a_key_is_got_set_popped_made_once_and_asked_for(monkeypatch):
    session = {}
    monkeypatch.setattr(st, "session_state", session)
    key = state.Key("size", "int", 3)
    assert (key.get(), key.is_set(), key.pop(), session) == (3, False, 3, {})
    key.set(5)
    assert (key.get(), key.is_set(), session) == (5, True, {"size": 5})
    assert key.once(lambda: 7) == 5
    assert (key.pop(), key.is_set()) == (5, False)
    assert key.once(lambda: 7) == 7 == key.get()


def test_a_widget_is_put_to_a_value_only_where_it_has_another(monkeypatch):
    written = []

    class Session(dict):
        def __setitem__(self, name, value):
            written.append((name, value))
            super().__setitem__(name, value)

    monkeypatch.setattr(st, "session_state", Session())
    key = state.widget("slider")
    for value in (1, 1, 2, 2, None, None):
        state.show(key, value)
    assert written == [("slider", 1), ("slider", 2), ("slider", None)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_else_touches_the_session(path):
    text = path.read_text(encoding="utf-8")
    names = {one.attr for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Attribute)}
    names |= {one.id for one in ast.walk(ast.parse(text)) if isinstance(one, ast.Name)}
    assert ("session_state" in names) == (path == ROOT / "ui" / "state.py")
    imported = re.findall(r"^from streamlit.* import .*|^import streamlit\..*", text, re.MULTILINE)
    # What a server adds to Streamlit stands in one folder.
    assert imported == [] or ROOT / "ui" / "server" in path.parents


def test_every_key_of_the_register_is_used():
    rest = "".join(p.read_text() for p in SOURCES if p != ROOT / "ui" / "state.py")
    named = {name for name, one in vars(state).items() if isinstance(one, state.Key)}
    assert {name for name in named if not re.search(rf"\bstate\.{name}\b", rest)} == set()


@pytest.fixture
def made(monkeypatch):
    """The names of keys that were made for one pin, field or file."""
    names = set()
    real = state.widget

    def widget(name, *given):
        names.add(name)
        return real(name, *given)

    monkeypatch.setattr(state, "widget", widget)
    return names


def check(at, made):
    """Check the whole session against the register; return the names that it knows."""
    assert_sound(at)
    kept = at.session_state._state._state
    session = kept.filtered_state
    unknown = {name for name in session if kept.get_widget_id_from_key(name) is None}
    assert unknown - state.KEYS.keys() - made == set()
    for name in session.keys() & state.KEYS.keys():
        assert fits(session[name], state.KEYS[name].holds), (name, session[name])
    return session.keys() & state.KEYS.keys()


def explored(made):
    """Explore with every section of its sidebar; return the keys that were seen."""
    seen = set()
    at = opened(kind2=KINDS["class maps"].menu, net="e2-cgnl", beside="e2-nl")
    seen |= check(at, made)
    at.selectbox(key="channels").set_value("class evidence").run()
    seen |= check(at, made)
    at.selectbox(key="channels").set_value("list").run()
    at.selectbox(key="classes").set_value("list").run()
    at.selectbox(key="scale").set_value("fixed range").run()
    at.number_input(key="row").set_value(2).run()
    place(at, "upload").upload("bad.png", b"no picture", "image/png").run()
    at.button(key="pin").click().run()
    seen |= check(at, made)
    at.selectbox(key="cut").set_value("area").run()
    place(at, "upload").upload("good.png", png(60, 40, "I;16"), "image/png").run()
    return seen | check(at, made)


def explored_clip(made):
    at = opened(example="kick", net="e2-nl", beside="none", size="224", sampling="custom",
                frames="2", step="0.1", unit="seconds")  # fmt: skip
    at.slider(key="start").set_value(0.5).run()
    at.button(key="view-movie-make").click().run()
    seen = check(at, made)
    for k in (1, 2):
        place(at, "frames_upload").upload(f"f{k}.png", png(90, 60), "image/png")
    at.run()
    seen |= check(at, made)
    at.button(key="example-bird").click().run()
    return seen | check(at, made)


def linked(made):
    """Addresses of what is not here."""
    seen = check(opened(file="a.png", sha256="a" * 64), made)
    at = app()
    at.session_state["browser-heard"] = True  # as after the first word of a browser
    at.query_params["map"] = "pink"
    return seen | check(at.run(), made)


def compared(made):
    """Explore with a second picture, with one that is refused, and one that an address asks for."""
    seen = check(opened(beside="none", second="a.png", second_sha256="a" * 64), made)
    at = opened(beside="none")
    place(at, "second-upload").upload("notes.png", b"not a picture", "image/png").run()
    seen |= check(at, made)
    at.button(key="example-two").click().run()
    seen |= check(at, made)
    at.button(key="drop-second").click().run()
    seen |= check(at, made)
    at = opened(net="timm:vit_tiny_patch16_224?pretrained=no", beside="none")
    at.button(key="example-two").click().run()
    return seen | check(at, made)


def drawn_figure(made):
    """The Figure page with pins, settings, files that are refused and one that is awaited."""
    at = app().switch_page("pages/figure.py").run()
    at.button(key="figure-example").click().run()
    at.selectbox(key="figure-venue").set_value("Free").run()
    at.text_input(key="figure-p1-maps-1").set_value("nonsense").run()
    points = place(at, "figure-truth")
    points.upload("points.json", b'[{"name": "beak", "x": 420, "y": 130}]', "application/json")
    at.run()
    place(at, "figure-file").upload("bad.json", b"{}", "application/json").run()
    seen = check(at, made)
    recipe = recipe_of(bird(), bird(medium=Medium("gone.png", "a" * 64)))
    place(at, "figure-file").upload("ask.json", recipe_json.dumps(recipe).encode(), "x/y").run()
    seen |= check(at, made)
    at.button(key="figure-cancel").click().run()
    return seen | check(at, made)


def opened_networks(made, checkpoint, tiny):
    """The Models page with files of one's own, and where they lead."""
    at = app().switch_page("pages/models.py").run()
    at = uploaded(at, "model_best.pth.tar", checkpoint)
    seen = check(at, made)
    at = uploaded(at, "r50_cgnl.pth.tar", checkpoint)
    next(s for s in at.selectbox if s.key.startswith("change-kernel")).set_value("cgnlx").run()
    seen |= check(at, made)
    at = uploaded(at, "mine.safetensors", tiny)
    at.button(key="use_own").click().run()
    return seen | check(at, made)


def named_network(made):
    """The Models page with a network of a library."""
    at = app().switch_page("pages/models.py").run()
    at.text_input(key="library-search").set_value("timm:vit_tiny_patch16_224?pretrained=no").run()
    return check(at.button(key="library-load").click().run(), made)


def looked_at_gates(made):
    spec = CompactSpec("wrn", "10-1", 10, CGDSpec(), Preprocessing(size=32, resize=32, stride=4))
    model = LoadedModel("own-wrn", spec, build(spec), (), "1" * 64)
    at = app().switch_page("pages/gates.py")
    at.session_state["own_models"] = {model.id: (model, "a network of mine")}
    return check(at.run(), made)


def detected(made):
    """Explore with a detector of this session, and with a network of people's actions."""
    prep = Preprocessing(64, 64, stride=16)
    people = ModelSpec(
        14, 8, NonLocalSpec(), "1", 81, preprocessing=prep, last_stride=1, head="people"
    )
    seen = set()
    for model in (c4(), LoadedModel("own-people", people, build(people), (), "3" * 64)):
        at = app()
        at.session_state["own_models"] = {model.id: (model, "a network of mine")}
        at.query_params["net"], at.query_params["beside"] = model.id, "none"
        seen |= check(at.run(), made)
    return seen


def evaluated(made, monkeypatch, cub):
    """The Evaluate page with the example, pictures of one's own, and a folder of the server."""
    monkeypatch.setattr(settings, "data_folders", lambda: (cub,))
    at = app().switch_page("pages/evaluate.py").run()
    at.selectbox(key="data").set_value(choose.UPLOAD).run()
    at.file_uploader(key="data-files").upload("a.png", png(64, 48), "image/png").run()
    seen = check(at, made)
    at.file_uploader(key="data-files").upload("a.csv", b"nothing", "text/csv").run()
    seen |= check(at, made)
    at.selectbox(key="data").set_value(cub.name).run()
    return seen | check(at, made)


def searched(made):
    """The page Strongest patches with the example, and with a network of this session."""
    seen = check(app().switch_page("pages/strongest.py").run(), made)
    at, model = app().switch_page("pages/strongest.py"), make_tiny(NonLocalSpec())
    at.session_state["own_models"] = {model.id: (model, "tiny")}
    at.session_state["strongest-network"] = model.id
    at.run()
    next(one for one in at.button if one.label == "Search").click().run()
    return seen | check(at, made)


def counted_costs(made):
    return check(app().switch_page("pages/cost.py").run(), made)


@pytest.mark.slow
def test_all_that_the_pages_keep_is_in_the_register_and_of_its_type(
    made, cgnl_checkpoint, tmp_path, monkeypatch
):
    monkeypatch.setattr(evaluation.RESULTS, "shared", {})  # what other tests left
    tiny = saved(tmp_path, make_tiny(NonLocalSpec()))
    seen = explored(made) | explored_clip(made) | drawn_figure(made)
    seen |= linked(made) | opened_networks(made, cgnl_checkpoint, tiny) | looked_at_gates(made)
    seen |= named_network(made) | detected(made)
    seen |= evaluated(made, monkeypatch, cub(tmp_path / "cub")) | counted_costs(made)
    seen |= searched(made) | compared(made)
    gone = {"wanted_page", "pin-message", "figure-pin-problem", "remove_problem"}  # read at once
    gone |= {"device"}  # asked for where there are several
    gone |= {"stopped", "movie-ended", "figure-live"}  # presses on Stop, a slider that is held
    gone |= {"view-waiting"}  # what a tab keeps, after a refresh of another page than Explore
    assert state.KEYS.keys() - seen == gone | {"figure-pin", "missing-problems"}
