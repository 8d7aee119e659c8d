"""Places that a browser asks for before it sends files.

A press of an uploader's cross asks for none; one whose file is replaced asks before it takes the
old file away, and sends the new one after: so both can be told apart while the uploader is empty.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager as Store

_GIVEN: Counter[str] = Counter()


def given(session: str) -> int:
    """Return how many places a session was given so far; 0 where they are not counted."""
    return _GIVEN[session]


@contextmanager
def counted() -> Iterator[None]:
    """Count the places that sessions are given as long as the ``with`` body lasts."""
    give, forget = Store.get_upload_urls, Store.remove_session_files

    def giving(store: Store, session_id: str, file_names: Any) -> list:  # noqa: ANN401
        found = give(store, session_id, file_names)
        _GIVEN[session_id] += len(found)
        return found

    def forgetting(store: Store, session_id: str) -> None:
        forget(store, session_id)
        _GIVEN.pop(session_id, None)

    Store.get_upload_urls, Store.remove_session_files = giving, forgetting
    try:
        yield
    finally:
        Store.get_upload_urls, Store.remove_session_files = give, forget
        _GIVEN.clear()
