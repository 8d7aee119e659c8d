"""The picker alone on an empty page, without a server: how it is mounted, read and compared."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import pixels
from ui.components import mount as component
from ui.components.picker.canvas import canvas_frames
from ui.components.picker.payload import NO_HEADINGS, pack
from viz.figure.resolve import Scene, Shot
from viz.geometry import Geometry
from viz.rendering import heat as heats
from viz.rendering.colormaps import colour_table
from viz.rendering.look import Look
from viz.rendering.marks import pixel_span
from viz.types import AttentionMap, moment

MOUNT = """([blob]) => {
  const bytes = Uint8Array.from(atob(blob), c => c.charCodeAt(0));
  window.sent ??= [];
  const setTriggerValue = (name, value) => window.sent.push([name, value]);
  window.mount({ data: bytes, parentElement: document.body, setTriggerValue });
}"""
FARTHEST = 16
"""How far a colour on the screen may be from Python's, of 255."""
NEAR_CUT = 0.01
"""How near to the threshold heat may be that float16 factors put on its other side."""


def mount(page: Page, found: Scene, look: Look, headings: Mapping[int, str] = NO_HEADINGS):
    """Put the component on an empty page and wait until it has drawn."""
    script = component.script("picker/picker.js")
    page.set_content("<div class='picker' style='max-width:640px'></div>")
    page.add_style_tag(content=(component.FOLDER / "picker" / "picker.css").read_text())
    page.add_script_tag(
        content=script.replace("export default function", "window.mount = function")
    )
    show(page, found, look, headings)


def show(page: Page, found: Scene, look: Look, headings: Mapping[int, str] = NO_HEADINGS):
    """Give the component new data, as a rerun of the page does."""
    page.evaluate("document.querySelector('.picker').removeAttribute('data-draws')")
    blob = pack(found, look, headings)
    page.evaluate(MOUNT, [base64.b64encode(blob).decode()])
    page.wait_for_selector(".picker[data-draws]")


def drawn(page: Page, panel: int = 0) -> np.ndarray:
    """Return the large canvas of a network, (H, W, 3) uint8."""
    return picture_of(pixels(page, panel))


def picture_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def canvas_pictures(found: Scene) -> np.ndarray:
    """The frames that the large canvas shows, decoded from what is sent: (T, H, W, 3)."""
    return np.stack([picture_of(one) for one in canvas_frames(found.clip)])


@dataclass(frozen=True, eq=False)
class Painted:
    """What Python paints: ``pixels`` (H, W, 3), and ``across`` with every pixel on the other side
    of the threshold; ``near`` (H, W) is where the heat is so near to it that both are right."""

    pixels: np.ndarray
    across: np.ndarray
    near: np.ndarray


def painted(frame: np.ndarray, geometry: Geometry, attention: AttentionMap, look: Look, t: int = 0):
    """Paint one moment of a map over a frame (H, W, 3), of whose size the geometry is."""
    heat = heats.normalise(attention, look)
    rows, cols = pixel_span(geometry)
    size = rows.stop - rows.start, cols.stop - cols.start
    level = heats.upsample(heat.values[t : t + 1], *size, look.interpolation)[0]
    shown = heats.kept(level, heat.level(0, look)) & (not heat.constant)
    seen = frame[rows, cols].astype(float)
    tints = colour_table(look.colormap)[np.rint(level * 255).astype(int)]
    tinted = np.rint((1 - look.heat_opacity) * seen + look.heat_opacity * tints)
    pictures = []
    for side in (shown, ~shown):
        picture = frame.copy()
        picture[rows, cols] = np.where(side[..., None], tinted, seen)
        pictures.append(picture)
    near = np.zeros(frame.shape[:2], bool)
    near[rows, cols] = (np.abs(level - look.threshold) <= NEAR_CUT) & (not heat.constant)
    return Painted(*pictures, near)


def painted_frames(frames: np.ndarray, shot: Shot, attention: AttentionMap, look: Look):
    """Paint a map over the frames of a clip (T, H, W, 3) at any size, each with its moment."""
    geometry = replace(shot.geometry, width=frames.shape[2], height=frames.shape[1])
    moments = len(attention.values)
    return [
        painted(frame, geometry, attention, look, moment(k, len(frames), moments))
        for k, frame in enumerate(frames)
    ]


def assert_same_picture(screen: np.ndarray, wanted: Painted) -> None:
    """Check every pixel; only where the heat is at the threshold it may be on either side."""
    assert screen.shape == wanted.pixels.shape
    wrong, beyond = (
        np.abs(screen.astype(int) - one.astype(int)).max(-1) > FARTHEST
        for one in (wanted.pixels, wanted.across)
    )
    assert not (wrong & ~(wanted.near & ~beyond)).any(), f"{wrong.sum()} pixels are wrong"
    # A frame around the picture, or a map that is level with the threshold, would prove nothing.
    assert wanted.near.mean() < 0.2
