"""Who asks: the session of the run that this is, and whether anybody still waits for it."""

import threading

from streamlit import runtime
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx

WATCHED = threading.local()
"""``now`` is told that a thread still works for its session, and how far it is: see
ui.server.waiting."""


def session_id() -> str:
    """Return the id of the session that this run belongs to; empty outside of a run."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.session_id if context else ""


def is_there(session: str) -> bool:
    """Tell whether a session's page is open."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)


def stop_if_ended(share: float | None = None, place: int = 0) -> None:
    """End the run of a session whose tab was closed, or that was stopped; else show how far its
    work is: the share that is done where that is known, its place in a queue while it waits."""
    watch = getattr(WATCHED, "now", None)
    if watch is not None:
        watch(share, place)
    session = session_id()
    if session and runtime.exists() and not is_there(session):
        raise StopException
