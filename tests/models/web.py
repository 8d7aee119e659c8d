"""A publisher's server in a thread: ranges, cut connections, wrong bytes, web pages, errors."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server gives, and what it was asked."""

    content: bytes = b""
    etag: str = '"one"'
    status: int = 200
    kind: str = "application/octet-stream"
    cut_after: int | None = None
    """Close the connection after so many bytes of a reply; once."""
    ranges: bool = True
    hold: threading.Event | None = None
    """Wait for this in the middle of a reply."""
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    site: Site

    def do_GET(self):
        site = self.site
        wanted = self.headers.get("Range")
        site.asked.append(wanted)
        if site.status != 200:
            self.send_error(site.status)
            return
        start = 0
        if wanted and site.ranges and self.headers.get("If-Range") in (None, site.etag):
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start and start >= len(site.content):
            self.send_error(416)
            return
        body = site.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/*")
        if site.etag:
            self.send_header("ETag", site.etag)
        self.send_header("Content-Type", site.kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self._send(body)

    def _send(self, body):
        site = self.site
        if site.hold:
            self.wfile.write(body[: len(body) // 2])
            site.hold.wait(20)
            body = body[len(body) // 2 :]
        if site.cut_after is not None:
            body, site.cut_after = body[: site.cut_after], None
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve a site on a free port while the ``with`` lasts."""
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("localhost", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    site.url = f"http://localhost:{server.server_port}/weights/net-v1.pth"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
