"""Settings of the server for one test."""

import pytest

from ui.server import settings
from ui.server.settings import Settings


@pytest.fixture
def limited():
    before = settings.current()
    yield lambda **values: settings.use(Settings(**values))
    settings.use(before)
