"""Whether anybody still waits: what a closed tab asked for is ended."""

from streamlit import runtime
from streamlit.runtime.scriptrunner import StopException, get_script_run_ctx


def stop_if_ended() -> None:
    """End the run of a session whose tab was closed; nothing otherwise."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or not runtime.exists():
        return
    if not runtime.get_instance().is_active_session(context.session_id):
        raise StopException
