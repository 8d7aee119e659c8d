"""What tests of pages read and hold of a page that is planned."""

import numpy as np
import pytest

from viz.figure.page import typesetting

HEAT = np.linspace(0, 1, 35, dtype=np.float32).reshape(5, 7)
WHOLE = 1e-6


def pixel(made):
    return 25.4 / made.layout.dpi


def check(made, found):
    """Hold what is true of every page."""
    step = pixel(made)
    for place in found.places:
        box = place.box
        assert box.left >= -WHOLE
        assert box.top >= -WHOLE
        assert box.right <= found.width + WHOLE
        assert box.bottom <= found.height + WHOLE
        for side in (box.left, box.top, box.right, box.bottom):
            assert side / step == pytest.approx(round(side / step), abs=1e-4)
    assert found.height / step == pytest.approx(round(found.height / step), abs=1e-4)
    for k, one in enumerate(found.places):
        for other in found.places[k + 1 :]:
            a, b = one.box, other.box
            apart = (
                a.right <= b.left + WHOLE
                or b.right <= a.left + WHOLE
                or a.bottom <= b.top + WHOLE
                or b.bottom <= a.top + WHOLE
            )
            assert apart, (one, other)


def extent(words, made):
    """Return left, top, right, bottom of a line of text in mm."""
    wide = typesetting.width_mm(words.text, made.layout.font, words.points)
    high = 0.75 * words.points * typesetting.MM_PER_POINT
    if words.upward:
        return words.x - high, words.y - wide / 2, words.x, words.y + wide / 2
    left = words.x - {"left": 0, "center": wide / 2, "right": wide}[words.align]
    return left, words.y - high, left + wide, words.y


def captions_of(found):
    """Return what stands under each panel, as one text, in the figure's order."""
    under = {}
    for place in sorted(found.places, key=lambda p: (p.row, p.column)):
        middle = (place.box.left + place.box.right) / 2
        lines = [
            w
            for w in found.words
            if w.x == pytest.approx(middle) and place.box.bottom < w.y < place.box.bottom + 12
        ]
        under[place.row, place.column] = " ".join(w.text for w in sorted(lines, key=lambda w: w.y))
    return under


def texts(found, upward):
    return [words.text for words in found.words if words.upward == upward]
