"""A real Chromium and a real server, one of each for the whole run."""

import base64
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from benchmarks.chromium import find_chromium
from benchmarks.server.serving import await_streamlit, free_port
from tests.paths import ROOT
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.cli.main import main
from viz.examples import bird

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
DRAWN = ".picker[data-draws]"
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}
"""The server computes as the tests do: so both round alike, and neither waits for the other's
threads."""
PATIENCE_MS = 180_000
SIZE = 448
STATE = "data-test-script-state"
NOTE_RUNS = """
(() => {
  const rest = (window.rest = { sent: 0, ran: 0, changed: 0 });
  const send = WebSocket.prototype.send;
  WebSocket.prototype.send = function (data) {
    rest.sent = performance.now();
    return send.call(this, data);
  };
  const note = (changes) => {
    rest.changed = performance.now();
    if (changes.some(({ target }) => target.getAttribute("STATE") !== "notRunning"))
      rest.ran = rest.changed;
  };
  new MutationObserver(note).observe(document, { attributeFilter: ["STATE"], subtree: true });
})();
""".replace("STATE", STATE)
"""Of every tab: when it sent something last, when it was told last of a run of the page, and when
one began or ended last (milliseconds)."""
RESTS = f"""
() => {{
  const now = performance.now(), rest = window.rest;
  const still = document.querySelector("[data-testid=stApp][{STATE}=notRunning]");
  const answered = rest.ran >= rest.sent || now - rest.sent > 3000;
  return still && answered && now - Math.max(rest.changed, rest.sent) > 150;
}}
"""
"""No run goes on, and one came after what was sent last; not every message has one, so none is
waited for longer than 3 s."""


@pytest.fixture(scope="session")
def browser():
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium was found: `make chromium` says how one is installed")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory) -> str:
    """Start the app as `make app` does and return its address."""
    with running(free_port(), tmp_path_factory.mktemp("server") / "log.txt") as address:
        yield address


@contextmanager
def running(port: int, log: Path) -> Iterator[str]:
    """Run the app on a port as long as the ``with`` body does; yield its address."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.fileWatcherType=none"]
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=ONE_THREAD)
        try:
            address = f"http://localhost:{port}"
            try:
                await_streamlit(address, process)
            except RuntimeError as problem:
                raise RuntimeError(f"{problem}:\n{log.read_text()}") from problem
            yield address
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def captures() -> dict[str, Capture]:
    """What the page captures, by this process: network id -> the example at SIZE pixels."""
    names = ("e2-nl", "e2-cgnl")
    return {n: pipeline.capture(pipeline.load(n), bird.clip(), "fit", SIZE) for n in names}


@contextmanager
def fresh_tab(browser: Browser) -> Iterator[Page]:
    """A tab as long as the ``with`` body runs, in a browser that kept nothing."""
    with context_of(browser) as context, _tab(context) as tab:
        yield tab


@contextmanager
def context_of(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of one's own, as far as pages can tell."""
    context = browser.new_context(viewport={"width": 1400, "height": 1200}, accept_downloads=True)
    context.add_init_script(NOTE_RUNS)
    try:
        yield context
    finally:
        context.close()


@contextmanager
def _tab(context: BrowserContext) -> Iterator[Page]:
    """A tab of a context. A JavaScript error in it is an error at its end, unless it is in
    ``expected_errors``."""
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE_MS)
    errors, tab.expected_errors = [], []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    yield tab
    assert errors == tab.expected_errors


@pytest.fixture(scope="session")
def shared_context(browser: Browser) -> Iterator[BrowserContext]:
    """The context of ``page``: the app's scripts are fetched and compiled once."""
    with context_of(browser) as context:
        yield context


@pytest.fixture
def page(shared_context: BrowserContext) -> Iterator[Page]:
    """A fresh tab; what pages keep in the browser is removed after it."""
    try:
        with _tab(shared_context) as tab:
            yield tab
    finally:
        for tab in shared_context.pages:
            tab.close()
        shared_context.set_storage_state({"cookies": [], "origins": []})


@pytest.fixture
def explore(page: Page, server: str) -> Page:
    """The Explore page with its example, drawn and at rest."""
    return open_explore(page, server)


def open_explore(page: Page, server: str, query: str = "") -> Page:
    page.goto(f"{server}/{query}")
    page.wait_for_selector(DRAWN)
    at_rest(page)
    return page


def at_rest(page: Page) -> None:
    """Wait until the server has answered what the page sent, and has nothing more to send."""
    page.wait_for_function(RESTS)


def expect_address(page: Page, *entries: str) -> None:
    """Wait until the address has these entries, or the beginnings of them: name=value."""
    for entry in entries:
        expect(page).to_have_url(re.compile(rf"[?&]{re.escape(entry)}"))


def cell_of(page: Page) -> tuple[int, int]:
    row, col = page.locator(".picker").get_attribute("data-cell").split(",")
    return int(row), int(col)


def hover(page: Page, x: float, y: float, panel: int = 0) -> None:
    """Move the pointer to (x, y), as shares of a picture's sides, and await the drawing."""
    box = page.locator("canvas.picture").nth(panel).bounding_box()
    before = page.locator(".picker").get_attribute("data-draws")
    page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    expect(page.locator(".picker")).not_to_have_attribute("data-draws", before)


def choose(page: Page, label: str, option: str) -> None:
    """Choose an option of a selectbox, and wait until the page is at rest."""
    entry = page.get_by_role("option", name=option, exact=True)
    for _ in range(4):
        # While another selectbox has the focus, a list that opens may close again at once.
        page.get_by_role("combobox", name=label).click()
        page.wait_for_timeout(200)
        if entry.is_visible():
            break
    entry.click()
    expect(page.get_by_role("combobox", name=label)).to_have_value(option)
    at_rest(page)


def saved(page: Page, label: str) -> bytes:
    """Press a button that saves a file, and return what arrives."""
    with page.expect_download() as arrival:
        page.get_by_test_id("stMain").get_by_role("button", name=label).click()
    return Path(arrival.value.path()).read_bytes()


def rendered(folder: Path, recipe: bytes) -> bytes:
    """Return the PNG that the command line makes of a recipe, which is put into a folder."""
    (folder / "recipe.json").write_bytes(recipe)
    again = folder / "again.png"
    assert main(["render", str(folder / "recipe.json"), "--out", str(again)]) == 0
    return again.read_bytes()


def pixels(page: Page, panel: int = 0) -> bytes:
    """Return the canvas of a panel as PNG bytes."""
    url = page.locator("canvas.picture").nth(panel).evaluate("c => c.toDataURL('image/png')")
    return base64.b64decode(url.split(",")[1])
