"""The order of a page: a browser is given the picture before its settings.

A browser draws the thirty inputs of the sidebar in about a second; whoever opens the page is to see
the map by then. The inputs are read first all the same, as the picture follows them.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.RootContainer_pb2 import RootContainer
from streamlit.runtime.scriptrunner import get_script_run_ctx

LONGEST_S = 0.7
"""Seconds that the sidebar waits at most, where something else is sent then: a picture that takes
longer has its progress shown, and what can be changed beside it."""


PAUSE_S = 0.012
"""Longer than Streamlit's event loop rests between two rounds of sending, which is 0.01 s."""


def let_through() -> None:
    """Give what was drawn so far the time to leave, before the rest of the page is made.

    Streamlit's event loop sends it, and Python lets one thread run at a time: while a page goes on
    drawing, each step of sending waits for its turn.
    """
    time.sleep(PAUSE_S)


@contextmanager
def sidebar_after() -> Iterator[None]:
    """Send what is drawn into the sidebar in the ``with`` body behind all else that is drawn there.

    The two are trees of their own in the browser: which grows first is the same to it.
    """
    context = get_script_run_ctx()
    if context is None:
        yield
        return
    send, until = context._enqueue, time.monotonic() + LONGEST_S
    held: list[ForwardMsg] = []

    def release() -> None:
        context._enqueue = send
        while held:
            send(held[0])  # ends the run where another was asked for: then it was not sent
            del held[0]

    def sort(message: ForwardMsg) -> None:
        if _is_in_sidebar(message):
            held.append(message)
            return
        if time.monotonic() > until:
            release()
        send(message)

    context._enqueue = sort
    try:
        yield
    finally:
        release()


def _is_in_sidebar(message: ForwardMsg) -> bool:
    path = message.metadata.delta_path
    return message.WhichOneof("type") == "delta" and path[:1] == [RootContainer.SIDEBAR]
