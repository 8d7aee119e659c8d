"""An option that is gone: page, address and browser agree on what takes its place."""

import pytest
from streamlit.testing.v1 import AppTest


def _page():
    import streamlit as st

    from ui import bound, state

    options = ["last", "first", "second"] if st.checkbox("All", value=True) else ["last", "first"]
    default = {"index": 1} if st.session_state.get("has default") else {}
    st.text(bound.choice("Block", options, state.widget("block"), **default))
    st.text(bound.worded("Kind", options, state.widget("kind"), str.upper, **default))
    named = bound.several("Names", options, state.widget("names"), default=["first"])
    st.text(" ".join(named))
    bound.problems()


def page_of(has_default: bool = False, **address: str | list[str]) -> AppTest:
    page = AppTest.from_function(_page)
    page.session_state["has default"] = has_default
    for name, value in address.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def without_second(page: AppTest) -> AppTest:
    page.checkbox[0].uncheck().run()
    assert not page.exception
    return page


@pytest.mark.parametrize("name", ["block", "kind"])
@pytest.mark.parametrize(("default", "expected"), [(False, "last"), (True, "first")])
def test_the_default_takes_the_place_of_an_option_that_is_gone(name, default, expected):
    page = page_of(default, **{name: "second"})
    assert page.selectbox(key=name).value == "second"
    page = without_second(page)
    assert page.selectbox(key=name).value == expected
    assert page.query_params.get(name, expected) == expected
    # Streamlit's browser code shows another value than it had only where it is told to.
    told = page.selectbox(key=name).proto
    assert told.set_value
    assert told.raw_value.lower() == expected


def test_of_several_those_stay_that_are_still_options():
    page = without_second(page_of(names=["second", "last"]))
    assert page.multiselect(key="names").value == ["last"]
    assert page.query_params["names"] == "last"


def test_of_several_that_are_all_gone_the_default_is_chosen():
    page = without_second(page_of(names=["second"]))
    assert page.multiselect(key="names").value == ["first"]
    assert page.query_params.get("names", "first") == "first"
    assert page.multiselect(key="names").proto.set_value


def test_none_of_several_may_be_chosen():
    page = page_of()
    page.multiselect(key="names").set_value([]).run()
    assert without_second(page).multiselect(key="names").value == []


def test_an_emptied_list_is_empty_again_after_a_refresh():
    page = page_of(names="")
    assert page.multiselect(key="names").value == []
    assert not page.warning
    assert page.query_params["names"] in ("", [""])


def test_an_entry_that_is_no_option_is_named():
    page = page_of(names=["second", "third"])
    assert page.multiselect(key="names").value == ["second"]
    assert "names=third is not known here" in page.warning[0].value
