"""Evaluate and Strongest patches: what was found comes back with its choice, and what is shown of
another choice is said to be earlier."""

import shutil
from dataclasses import replace

import pytest
from streamlit.testing.v1 import AppTest

from models.specs.block import NonLocalSpec
from tests.conftest import make_tiny
from tests.ui.pages import app, assert_sound, png, table
from ui.isolation import given
from ui.numbers.data import choose, runs, uploads

pytestmark = pytest.mark.slow

EMPTIED = [
    ("evaluate-networks", "No network is chosen; choose one or more."),
    ("evaluate-measures", "No measure is chosen; choose one or more."),
    ("evaluate-maps", "No map is chosen; choose one or more."),
]


@pytest.fixture(scope="module", autouse=True)
def _pool():
    yield
    given.pool().close()


def opened(page: str) -> AppTest:
    """A page after its first run: what it measures of the example is there."""
    return assert_sound(app().switch_page(f"pages/{page}.py").run())


def with_tiny(page: str) -> AppTest:
    """A page with a small network of the session, which is chosen."""
    at, model = app().switch_page(f"pages/{page}.py"), make_tiny(NonLocalSpec())
    at.session_state["own_models"] = {model.id: (model, "tiny")}
    several = page == "evaluate"
    key = "evaluate-networks" if several else "strongest-network"
    at.session_state[key] = [model.id] if several else model.id
    return assert_sound(at.run())


def use(at: AppTest, data: str) -> AppTest:
    return assert_sound(at.selectbox(key="data").set_value(data).run())


def press(at: AppTest, label: str) -> AppTest:
    return assert_sound(next(one for one in at.button if one.label == label).click().run())


def upload(at: AppTest, name: str) -> AppTest:
    at.file_uploader(key="data-files").upload(f"{name}.png", png(64, 48), "image/png").run()
    return assert_sound(at)


def notes(at: AppTest) -> list[str]:
    return [one.value for one in at.info]


def said_in_place_of(at: AppTest) -> str:
    """Return what heads the results."""
    return next(one.value for one in at.markdown if "picture" in one.value and "**:" in one.value)


@pytest.mark.parametrize(("page", "button"), [("evaluate", "Evaluate"), ("strongest", "Search")])
def test_what_was_found_comes_back_with_its_choice(page, button):
    at = with_tiny(page)
    press(at, button)
    assert "12 pictures" in said_in_place_of(at)
    use(at, choose.UPLOAD)
    assert "earlier" in notes(at)[0]
    assert "12 pictures" in said_in_place_of(at)
    press(upload(at, "one"), button)
    assert "1 uploaded picture" in said_in_place_of(at)
    use(at, choose.EXAMPLE)
    assert "12 pictures" in said_in_place_of(at)
    assert notes(at) == []
    use(at, choose.UPLOAD)
    assert "1 uploaded picture" in said_in_place_of(at)
    assert notes(at) == []


@pytest.mark.parametrize(
    ("page", "button", "key"),
    [("evaluate", "Evaluate", "evaluated"), ("strongest", "Search", "strongest-found")],
)
def test_the_files_of_a_result_stay_while_it_is_kept(page, button, key):
    at = with_tiny(page)
    press(at, button)
    found, kept = at.session_state[key].last, at.session_state["runs"]
    for number in range(2 * runs._KEPT):
        with kept.alone(f"new{number}") as folder:
            folder.mkdir()
    assert any(found.folder.iterdir())


def test_a_search_in_uploads_that_were_read_again_reads_them_where_they_are_now(tmp_path):
    at = use(with_tiny("strongest"), choose.UPLOAD)
    press(upload(at, "one"), "Search")
    held = at.session_state["data-upload"]
    folder = shutil.copytree(held.dataset.folder, tmp_path / "again")
    samples = [replace(one, path=folder / one.name) for one in held.dataset.samples]
    dataset = replace(held.dataset, folder=folder, samples=tuple(samples))
    at.session_state["data-upload"] = uploads.Uploaded(held.key, dataset, held.made_of)
    shutil.rmtree(held.dataset.folder)
    at.session_state["strongest-figures"]._held.clear()
    assert_sound(at.run())
    assert not at.error
    assert notes(at) == []
    assert len(table(at, "Strength")) == 1


@pytest.mark.parametrize(("key", "said"), EMPTIED)
def test_what_is_emptied_is_said_in_a_short_line_and_the_results_are_said_to_be_earlier(key, said):
    at = opened("evaluate")
    at.multiselect(key=key).set_value([]).run()
    assert [one.value for one in assert_sound(at).error] == [said]
    assert "earlier results" in notes(at)[0]
    assert next(one for one in at.button if one.label == "Evaluate").disabled
    assert len(table(at, "Mean")) > 0


@pytest.mark.parametrize(("key", "said"), EMPTIED)
def test_what_was_emptied_is_empty_after_a_refresh_and_the_address_is_accepted(key, said):
    at = app().switch_page("pages/evaluate.py")
    at.query_params[key] = ""
    assert_sound(at.run())
    assert at.multiselect(key=key).value == []
    assert not at.warning
    assert [one.value for one in at.error] == [said]
    assert "measures what is chosen" in notes(at)[0]
