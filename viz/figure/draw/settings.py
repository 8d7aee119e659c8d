"""matplotlib's process-wide settings while something is drawn: the same on every machine. And the
library that cuts fonts tells the terminal of errors only."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib

HASH_SALT = "nonlocal-viz"
_SETTINGS = {
    "savefig.bbox": None,
    "savefig.facecolor": "auto",
    "savefig.edgecolor": "auto",
    "savefig.transparent": False,
    "pdf.fonttype": 42,
    "pdf.compression": 6,
    "pdf.use14corefonts": False,
    "pdf.inheritcolor": False,
    "ps.fonttype": 42,
    "ps.useafm": False,
    "ps.usedistiller": None,
    "svg.fonttype": "none",
    "svg.hashsalt": HASH_SALT,
    "svg.id": None,
    "svg.image_inline": True,
    "image.composite_image": False,
    "path.simplify": True,
    "path.simplify_threshold": 1 / 9,
    "path.snap": True,
    "agg.path.chunksize": 0,
    "text.antialiased": True,
    "text.hinting": "none",  # letters as in the PDF, and a quarter less time
    "font.enable_last_resort": True,
}
_LOCK = threading.Lock()


@contextmanager
def fixed_settings() -> Iterator[None]:
    """Use these settings in the ``with``, and give back what was there: one drawing at a time."""
    with _LOCK, matplotlib.rc_context(_SETTINGS), _quiet_fonts():
        yield


@contextmanager
def _quiet_fonts() -> Iterator[None]:
    """Keep fontTools from warning of tables that letters do not need ("BDF NOT subset")."""
    logger = logging.getLogger("fontTools")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
