"""The picker alone on an empty page, without a server: how it is mounted, read and compared."""

import base64
import io

import numpy as np
import torch
from PIL import Image
from playwright.sync_api import Page

from tests.browser.conftest import pixels
from ui.components import mount as component
from ui.components.picker.payload import Panel, pack
from viz.rendering.look import Look
from viz.types import Clip

MOUNT = """([blob]) => {
  const bytes = Uint8Array.from(atob(blob), c => c.charCodeAt(0));
  window.sent ??= [];
  const setTriggerValue = (name, value) => window.sent.push([name, value]);
  window.mount({ data: bytes, parentElement: document.body, setTriggerValue });
}"""


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def mount(page: Page, clip: Clip, panels: list[Panel], look: Look, focus="channel 1", **options):
    """Put the component on an empty page and wait until it has drawn."""
    script = component.script("picker/picker.js")
    page.set_content("<div class='picker' style='max-width:640px'></div>")
    page.add_style_tag(content=(component.FOLDER / "picker" / "picker.css").read_text())
    page.add_script_tag(
        content=script.replace("export default function", "window.mount = function")
    )
    show(page, clip, panels, look, focus, **options)


def show(page: Page, clip: Clip, panels: list[Panel], look: Look, focus="channel 1", **options):
    """Give the component new data, as a rerun of the page does."""
    page.evaluate("document.querySelector('.picker').removeAttribute('data-draws')")
    blob = pack(clip, panels, look, focus, **options)
    page.evaluate(MOUNT, [base64.b64encode(blob).decode()])
    page.wait_for_selector(".picker[data-draws]")


def drawn(page: Page, panel: int = 0) -> np.ndarray:
    """Return the large canvas of a network, (H, W, 3) uint8."""
    return picture_of(pixels(page, panel))


def picture_of(content: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def assert_same_picture(screen: np.ndarray, python: np.ndarray) -> None:
    """Within 16/255 but for a few pixels at the edge of the threshold (float16 factors)."""
    assert screen.shape == python.shape
    off = np.abs(screen.astype(int) - python.astype(int)).max(-1) > 16
    assert off.mean() < 0.004
