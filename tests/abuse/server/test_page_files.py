"""Files that pages are made of: the same as Streamlit answers, and nothing else."""

import asyncio
from pathlib import Path

import pytest
from streamlit import config, file_util
from streamlit.web.server.starlette import starlette_static_routes

from ui.server.sending.page_files import PageFiles

STATIC = Path(file_util.get_static_dir())
NAMES = [
    f"/{found.relative_to(STATIC).as_posix()}"
    for kind in ("js", "css", "woff2")
    for found in sorted((STATIC / "static").rglob(f"*.{kind}"))[:2]
]


def answer(app, path: str, method: str = "GET", **headers: str) -> tuple[int, dict, bytes]:
    """Return status, headers and body of an ASGI app's answer."""
    sent = []
    named = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": named, "root_path": ""}

    async def receive() -> dict:
        await asyncio.sleep(60)  # the client goes on waiting
        return {"type": "http.disconnect"}

    async def send(message: dict) -> None:
        sent.append(message)

    asyncio.run(app({**scope, "extensions": {}, "query_string": b""}, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}, body


async def elsewhere(_scope: dict, _receive, send) -> None:
    """Answer as what stands behind: a teapot."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("path", NAMES)
def test_a_file_is_answered_as_streamlit_does(path):
    theirs = starlette_static_routes.create_streamlit_static_handler(str(STATIC), None)
    for _again in range(2):
        assert answer(PageFiles(elsewhere), path) == answer(theirs, path)


@pytest.mark.parametrize(
    ("path", "method", "headers"),
    [
        ("/", "GET", {}),
        ("/index.html", "GET", {}),
        ("/static/js", "GET", {}),
        ("/static/js/none.js", "GET", {}),
        ("/static/../index.html", "GET", {}),
        ("/static/js/../../index.html", "GET", {}),
        (f"/{NAMES[0]}", "GET", {}),
        (NAMES[0], "HEAD", {}),
        (NAMES[0], "POST", {}),
        (NAMES[0], "GET", {"range": "bytes=0-9"}),
        (NAMES[0], "GET", {"if_none_match": '"x"'}),
    ],
)
def test_all_else_is_passed_on(path, method, headers):
    assert answer(PageFiles(elsewhere), path, method, **headers)[0] == 418


def test_below_a_base_path_files_are_found_there(monkeypatch):
    whole = config.get_option
    monkeypatch.setattr(
        config, "get_option", lambda name: "maps" if name == "server.baseUrlPath" else whole(name)
    )
    assert answer(PageFiles(elsewhere), f"/maps{NAMES[0]}")[0] == 200
    assert answer(PageFiles(elsewhere), "/mapsx/static")[0] == 418
