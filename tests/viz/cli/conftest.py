"""What the tests of commands share."""

from dataclasses import replace

import pytest

from viz.figure.panels.presets import TABLE


@pytest.fixture
def small_pages(monkeypatch):
    """Views at a fifth of their resolution, which takes a tenth of the time."""
    row = TABLE["view"]
    monkeypatch.setitem(TABLE, "view", replace(row, layout=replace(row.layout, dpi=60)))
