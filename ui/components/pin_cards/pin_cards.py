"""The strip of pins: cards that are dragged into order, chosen and removed, in the browser."""

import base64
import io
from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import streamlit as st
from PIL import Image, ImageDraw

from errors import counted
from ui.components.mount import event, mounted
from ui.session import missing
from ui.session import pins as session_pins
from ui.session.media import medium
from ui.session.media.medium import key_of
from ui.session.pin_button import undo_button
from ui.session.pins import Pin
from viz.types import Clip

THUMB = 96
"""Long side of a card's picture in pixels."""

SIDEBAR = "sidebar-pins"
_JPEG = {"format": "JPEG", "quality": 85, "subsampling": "4:4:4"}
_MARK, _GREEN, _EDGE = 5, (0, 220, 60), (16, 32, 20)
_KEPT = 512
_thumbs: dict[tuple[object, ...], str] = {}


def strip(
    pins: Sequence[Pin],
    key: str,
    on_order: Callable[[], None],
    on_remove: Callable[[], None],
    on_choose: Callable[[], None],
    current: str | None = None,
) -> None:
    """Show one card a pin; ``current`` is the id of the chosen one.

    The callbacks run before the rerun, see ``ordered``, ``removed`` and ``chosen``.
    """
    mounted("pin-cards", "pin_cards")(
        key=key,
        data={"cards": cards(pins), "current": current},
        on_order_change=on_order,
        on_remove_change=on_remove,
        on_choose_change=on_choose,
    )


def sidebar() -> None:
    """Draw the pins in the sidebar, small, each with its cross, and the way to the Figure page."""
    pins = session_pins.pins()
    with st.sidebar:
        if pins:
            st.subheader(f"Pins ({len(pins)})")
            session_pins.page_link()
            strip(pins, SIDEBAR, _on_order, _on_remove, lambda: None)
        elif (waiting := missing.pending()) is not None:
            st.caption(f"Waiting for the files of {counted(len(waiting.references), 'pin')}.")
        else:
            st.caption("No pins yet: **Pin for a figure** collects views.")
        undo_button()


def _on_order() -> None:
    put_in_order(SIDEBAR)


def _on_remove() -> None:
    id = removed(SIDEBAR)
    if id is not None:
        session_pins.remove(id)


def put_in_order(key: str) -> None:
    """Put the pins into the order that a strip has just reported."""
    ids = ordered(key)
    if ids is not None:
        known = {pin.id: pin for pin in session_pins.pins()}
        session_pins.put(known[id] for id in ids)


def ordered(key: str) -> list[str] | None:
    """Return the ids of all pins in the order they were just given; None for anything else."""
    value = event(key, "order")
    known = sorted(pin.id for pin in session_pins.pins())
    texts = isinstance(value, list) and all(isinstance(id, str) for id in value)
    return value if texts and sorted(value) == known else None


def removed(key: str) -> str | None:
    """Return the id of the pin that was just removed; None when there is no such pin."""
    return _known(event(key, "remove"))


def chosen(key: str) -> str | None:
    """Return the id of the pin that was just chosen; None when there is no such pin."""
    return _known(event(key, "choose"))


def _known(value: object) -> str | None:
    found = isinstance(value, str) and value in {pin.id for pin in session_pins.pins()}
    return value if found else None


def cards(pins: Sequence[Pin]) -> list[dict[str, str]]:
    """Return what the browser gets of each pin: texts, and the picture as a data address."""
    return [
        {"id": pin.id, "title": title(pin), "detail": detail(pin), "picture": _picture(pin)}
        for pin in pins
    ]


def title(pin: Pin) -> str:
    """Return the pin's label, or its medium's name."""
    return pin.reference.label or pin.clip.name


def detail(pin: Pin) -> str:
    """Return the networks, the frame of a clip, and the pixel or the gate layer, as one line."""
    reference = pin.reference
    words = [", ".join(view.network.id for view in reference.views)]
    if reference.at is None:
        return " · ".join([*words, reference.views[0].block or "gates"])
    if len(pin.clip.frames) > 1:
        words.append(f"frame\u00a0{reference.frame}")
    x, y = reference.at
    return " · ".join([*words, f"x\u00a0{x:.0f} y\u00a0{y:.0f}"])


def _picture(pin: Pin) -> str:
    reference = pin.reference
    key = (key_of(pin.clip), reference.frame, reference.at)
    if key not in _thumbs:
        content = thumb(pin.clip, reference.frame, reference.at)
        while len(_thumbs) >= _KEPT:
            _thumbs.pop(next(iter(_thumbs)), None)
        _thumbs[key] = "data:image/jpeg;base64," + base64.b64encode(content).decode()
    return _thumbs[key]


@cache
def example(name: str) -> str:
    """Return an example's middle frame as a small picture, as a data address."""
    found = medium.example(name)
    clip = found.take((len(found.times) // 2,))
    return "data:image/jpeg;base64," + base64.b64encode(thumb(clip, 0, None)).decode()


def thumb(clip: Clip, frame: int, at: tuple[float, float] | None) -> bytes:
    """Return a frame as a JPEG of at most THUMB pixels, a green box (not the cell's size, which
    would be too small to see) around the reference."""
    number = min(frame, len(clip.frames) - 1)
    scale = min(1.0, THUMB / max(clip.width, clip.height))
    size = tuple(max(1, round(side * scale)) for side in (clip.width, clip.height))
    picture = Image.fromarray(np.ascontiguousarray(clip.frames[number]))
    picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    if at is not None:
        x, y = (
            round(min(max(part * now / was, 0), now - 1))
            for part, now, was in zip(at, size, (clip.width, clip.height), strict=True)
        )
        ink = ImageDraw.Draw(picture)
        for reach, colour in ((_MARK + 1, _EDGE), (_MARK, _GREEN), (_MARK - 1, _GREEN)):
            ink.rectangle((x - reach, y - reach, x + reach, y + reach), outline=colour)
    packed = io.BytesIO()
    picture.save(packed, **_JPEG)
    return packed.getvalue()
