"""A component of the Figure page alone on an empty page, without a server."""

from typing import Any

from playwright.sync_api import Page

from ui.components import mount as component

MOUNT = """(data) => {
  window.sent ??= [];
  const setTriggerValue = (name, value) => window.sent.push([name, value]);
  window.mount({ data, parentElement: document.body, setTriggerValue });
}"""


def mount(page: Page, name: str, root: str, data: dict[str, Any]) -> None:
    """Put the component of ui/components/``name`` on an empty page, in a div of class ``root``."""
    page.set_content(f"<div class='{root}'></div>")
    page.add_style_tag(content=(component.FOLDER / name / f"{name}.css").read_text())
    script = component.script(f"{name}/{name}.js")
    page.add_script_tag(
        content=script.replace("export default function", "window.mount = function")
    )
    show(page, data)


def show(page: Page, data: dict[str, Any]) -> None:
    """Give the component new data, as a rerun of the page does."""
    page.evaluate(MOUNT, data)


def sent(page: Page) -> list[list[Any]]:
    """Return what the component told Python, name and value each."""
    return page.evaluate("window.sent")
