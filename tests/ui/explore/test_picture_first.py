"""What a browser is given first: the picture, then the inputs of the sidebar."""

import streamlit as st
from streamlit.runtime.forward_msg_queue import ForwardMsgQueue
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx
from streamlit.testing.v1 import AppTest

from tests.ui.pages import opened
from ui.server.sending import order


def sent(draw) -> list[str]:
    """Return the texts that a page sends, in their order."""
    texts: list[str] = []

    def page(draw, texts) -> None:
        import streamlit as st
        from streamlit.runtime.scriptrunner import get_script_run_ctx

        context = get_script_run_ctx()
        send = context._enqueue

        def noting(message) -> None:
            if words := message.delta.new_element.markdown.body:
                texts.append(words)
            send(message)

        context._enqueue = noting
        st.session_state["noting"] = noting
        draw()

    at = AppTest.from_function(page, kwargs={"draw": draw, "texts": texts}).run()
    assert not at.exception
    return texts


def test_the_sidebar_is_sent_behind_the_picture():
    def draw() -> None:
        with order.sidebar_after():
            st.sidebar.markdown("input")
            st.markdown("picture")
            assert get_script_run_ctx()._enqueue is not st.session_state["noting"]
        assert get_script_run_ctx()._enqueue is st.session_state["noting"]
        st.markdown("table")
        st.sidebar.markdown("input of later")

    assert sent(draw) == ["picture", "input", "table", "input of later"]


def test_where_the_picture_takes_long_its_progress_brings_the_sidebar(monkeypatch):
    monkeypatch.setattr(order, "LONGEST_S", -1)

    def draw() -> None:
        with order.sidebar_after():
            st.sidebar.markdown("input")
            st.markdown("progress")
            st.sidebar.markdown("later")
            st.markdown("picture")

    assert sent(draw) == ["input", "progress", "later", "picture"]


def test_a_page_that_ends_early_has_its_sidebar():
    def draw() -> None:
        with order.sidebar_after():
            st.sidebar.markdown("input")
            st.stop()

    assert sent(draw) == ["input"]


def test_a_run_that_is_interrupted_while_it_sends_the_sidebar_leaves_nothing_out(monkeypatch):
    # The browser refuses what stands behind an element that it never got: the page stays empty.
    monkeypatch.setattr(order, "LONGEST_S", -1)

    def draw() -> None:
        context, asked = get_script_run_ctx(), [True]
        send = context._enqueue

        def interrupted(message) -> None:
            if asked:
                asked.clear()
                raise StopException
            send(message)

        context._enqueue = interrupted
        with order.sidebar_after():
            st.sidebar.markdown("first")
            st.sidebar.markdown("second")
            st.markdown("progress")

    assert sent(draw) == ["first", "second"]


def test_outside_of_a_page_nothing_is_held():
    with order.sidebar_after():
        pass


def test_explore_sends_its_canvas_before_its_inputs(monkeypatch):
    kinds: list[str] = []
    whole = ForwardMsgQueue.enqueue

    def noting(self, message) -> None:
        kinds.append(message.delta.new_element.WhichOneof("type"))
        whole(self, message)

    monkeypatch.setattr(ForwardMsgQueue, "enqueue", noting)
    monkeypatch.setattr(order, "LONGEST_S", 1000)  # nothing was prepared here
    assert not opened().exception
    canvas = max(k for k, kind in enumerate(kinds) if kind == "bidi_component")
    inputs = [k for k, kind in enumerate(kinds) if kind in ("selectbox", "slider")]
    assert len(inputs) > 15
    assert canvas < inputs[0]
