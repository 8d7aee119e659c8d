"""Files that are dropped on a page's uploader."""

import mimetypes

from playwright.sync_api import Page

PICTURE = "Picture, video, GIF"
"""Of Explore, in the label of its uploader."""


def drop(tab: Page, name: str, content: bytes, label: str = PICTURE) -> None:
    """Drop a file on the one uploader whose label has these words.

    A page has several, and "the first" is another one while the page is still being drawn.
    """
    place = tab.get_by_test_id("stFileUploader").filter(has_text=label)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    place.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": kind, "buffer": content}]
    )
