"""The files of deploy/: what they name is there, and a real nginx serves two workers with them."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from streamlit.testing.v1 import AppTest

from benchmarks.server.serving import free_port
from tests.paths import ROOT
from viz.cli.main import main

pytestmark = pytest.mark.slow

DEPLOY = ROOT / "deploy"
HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age",
}
needs_caddy = pytest.mark.skipif(not shutil.which("caddy"), reason="caddy is not installed")
needs_nginx = pytest.mark.skipif(not shutil.which("nginx"), reason="nginx is not installed")
only_all = pytest.mark.skipif(
    os.environ.get("NONLOCAL_VIZ_ABUSE") != "all", reason="starts two servers: make abuse"
)


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_both_proxies_set_the_same_headers_and_hide_the_metrics(name):
    text = (DEPLOY / name).read_text()
    for header, value in HEADERS.items():
        assert re.search(rf"{header}\W.*{re.escape(value)}", text, re.IGNORECASE), header
    assert "/metrics" in text
    assert "1100m" in text.lower()
    policy = re.compile(r'Content-Security-Policy "([^"]*)"')
    assert policy.findall(text) == policy.findall((DEPLOY / "Caddyfile").read_text())


def test_what_the_files_name_is_there():
    for name in ("Dockerfile", "nonlocal-viz.service"):
        assert "-m" in (DEPLOY / name).read_text()
        assert "viz" in (DEPLOY / name).read_text()
    compose = (DEPLOY / "compose.yaml").read_text()
    for name in re.findall(r"\./([\w.]+):", compose):
        assert (DEPLOY / name).is_file(), name
    for name in re.findall(
        r"^COPY (?:--\S+ )?([\w.]+) ", (DEPLOY / "Dockerfile").read_text(), re.M
    ):
        assert name == "." or (ROOT / name).exists(), name
    assert "secrets.toml" in (ROOT / ".dockerignore").read_text()


SERVICE = {
    "build", "image", "restart", "read_only", "tmpfs", "volumes", "cap_drop", "security_opt",
    "mem_limit", "pids_limit", "ports", "environment", "depends_on",
}  # fmt: skip
"""Keys of a service that compose files have, of those that ours uses."""


def test_compose_has_what_compose_files_have_and_nothing_else():
    content = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert content.keys() == {"services", "volumes"}
    for name, service in content["services"].items():
        assert service.keys() <= SERVICE, name
        assert {"build", "image"} & service.keys(), name
        assert set(service.get("depends_on", ())) <= content["services"].keys()
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source.startswith("./") or source in content["volumes"], volume
    app = content["services"]["app"]
    assert (app["read_only"], app["cap_drop"]) == (True, ["ALL"])
    build = app["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).resolve() == DEPLOY / "Dockerfile"


INSTRUCTIONS = {
    "FROM", "ARG", "ENV", "WORKDIR", "RUN", "COPY", "USER", "VOLUME", "EXPOSE", "HEALTHCHECK",
    "ENTRYPOINT",
}  # fmt: skip


def test_the_dockerfile_has_known_instructions_and_commands_that_parse(capsys):
    text = re.sub(r"(?m)^#.*\n", "", (DEPLOY / "Dockerfile").read_text()).replace("\\\n", " ")
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    assert {word for word, _rest in lines} == INSTRUCTIONS
    for word, rest in lines:
        if word == "RUN":
            subprocess.run(["sh", "-n", "-c", rest], check=True)
    users = [rest for word, rest in lines if word == "USER"]
    assert users == ["viz"]
    last = dict(lines)
    # A volume has the owner of the folder that the image has there.
    assert f"install -d -o viz -g viz {last['VOLUME']}" in text
    # /health is 503 while the server is busy: an orchestrator would end it.
    assert "/_stcore/health" in last["HEALTHCHECK"]
    assert json.loads(last["HEALTHCHECK"].partition("CMD")[2])[0] == "python"
    start = json.loads(last["ENTRYPOINT"])
    assert start[:4] == ["python", "-m", "viz", "serve"]
    assert main([*start[3:], "--check"]) == 0
    assert "address = 0.0.0.0" in capsys.readouterr().out


def test_the_caddyfile_is_whole():
    text = re.sub(r'"[^"]*"', '""', (DEPLOY / "Caddyfile").read_text())
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    depth = 0
    for line in filter(None, lines):
        opens, closes = line.endswith("{"), line == "}"
        depth += opens - closes
        assert depth >= 0
    assert depth == 0
    for word in (
        "reverse_proxy",
        "health_uri /_stcore/health",
        "lb_policy cookie",
        "max_size 1100MB",
    ):
        assert word in text


def test_without_a_provider_nobody_gets_in_where_a_login_is_asked_for():
    page = AppTest.from_string(ADMITTED, default_timeout=30).run()
    assert [one.value for one in page.markdown] == ["#### Nonlocal viz"]
    assert "no [auth]" in page.error[0].value
    assert not page.exception


ADMITTED = """
from dataclasses import replace
import streamlit as st
from ui import frame
from ui.server import settings
before = settings.current()
settings.use(replace(before, login=True))
try:
    if frame.admitted():
        st.markdown("inside")
finally:
    settings.use(before)
"""


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_unit(tmp_path):
    text = (DEPLOY / "nonlocal-viz.service").read_text()
    unit = tmp_path / "nonlocal-viz.service"
    unit.write_text(text.replace("/opt/nonlocal-viz/.venv/bin/python", sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True
    )
    assert "nonlocal-viz.service" not in done.stderr, done.stderr


def configured(folder, port, workers):
    """Write nginx.conf as shipped, but for names, ports and a certificate of its own."""
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
            "/CN=localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in {
        "viz.example.org": "localhost",
        "/etc/ssl/certs/viz.pem": str(folder / "cert.pem"),
        "/etc/ssl/private/viz.key": str(folder / "key.pem"),
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "127.0.0.1:8501": f"127.0.0.1:{workers[0]}",
        "127.0.0.1:8502": f"127.0.0.1:{workers[1]}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    whole = folder / "nginx.conf"
    whole.write_text(
        f"pid {folder}/pid; error_log {folder}/error.log; events {{}}\n"
        f"http {{ access_log off; {temporary}\n{text}\n}}\n"
    )
    return whole


@needs_nginx
def test_nginx_takes_its_file(tmp_path):
    path = configured(tmp_path, free_port(), (free_port(), free_port()))
    done = subprocess.run(["nginx", "-t", "-c", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@contextmanager
def running(command, **how):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def fetched(address, method="GET", **headers):
    """Return the status, headers and body of a request; the certificate is our own."""
    context = ssl._create_unverified_context()
    request = urllib.request.Request(address, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as reply:
            return reply.status, reply.headers, reply.read()
    except urllib.error.HTTPError as reply:
        return reply.code, reply.headers, reply.read()


def websocket(port):
    """Return the first line of the answer to a websocket's handshake through the proxy."""
    context = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", port), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        lines = [
            "GET /_stcore/stream HTTP/1.1", f"Host: localhost:{port}", "Upgrade: websocket",
            "Connection: Upgrade", f"Origin: https://localhost:{port}",
            "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Version: 13",
        ]  # fmt: skip
        secure.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return secure.recv(4096).split(b"\r\n")[0]


def wait_for(address):
    until = time.monotonic() + 120
    while time.monotonic() < until:
        try:
            if fetched(address)[0] == 200:
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"{address} does not answer")


@contextmanager
def two_workers(folder, ports):
    """Run two workers, which /health tells apart by the limits of memory that they were given."""
    with ExitStack() as stack:
        for number, port in enumerate(ports):
            settings = folder / f"worker{number}.toml"
            settings.write_text(f"[limits]\nmemory_mb = {20_000 + number}\n")
            command = [sys.executable, "-m", "viz", "serve", "--port", str(port)]
            stack.enter_context(running([*command, "--settings", settings], cwd=ROOT))
        for port in ports:
            wait_for(f"http://127.0.0.1:{port}/health")
        yield


def check_proxy(port, worker):
    """Look at what every proxy has to do: headers, no metrics, websockets, refusals of workers."""
    home = f"https://localhost:{port}"
    wait_for(f"{home}/health")
    status, headers, body = fetched(f"{home}/")
    assert status == 200
    assert b"<title>" in body
    for header, value in HEADERS.items():
        assert value in headers[header]
    assert fetched(f"{home}/metrics")[0] == 404
    assert fetched(f"http://127.0.0.1:{worker}/metrics")[0] == 200
    assert websocket(port).startswith(b"HTTP/1.1 101")
    ids = "12345678-1234-1234-1234-123456789012"
    assert fetched(f"{home}/_stcore/upload_file/{ids}/{ids}", "PUT")[0] in (400, 403, 413)


def worker_of(port, **headers):
    """Return the worker that a proxy sends a visitor to, and the cookies that it gives."""
    _status, found, body = fetched(f"https://localhost:{port}/health", **headers)
    return json.loads(body)["memory_limit_mb"], found.get_all("Set-Cookie") or []


def refused_size(port, size):
    """Return the answer to the beginning of an upload that says it has so many bytes."""
    context = ssl._create_unverified_context()
    with (
        socket.create_connection(("127.0.0.1", port), 20) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        lines = ["PUT /_stcore/upload_file/a/b HTTP/1.1", f"Host: localhost:{port}"]
        lines += [f"Content-Length: {size}", "Content-Type: text/plain"]
        secure.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + b"a" * 1000)
        return secure.recv(4096).split(b"\r\n")[0]


@needs_nginx
@only_all
@pytest.mark.timeout(400)
def test_nginx_serves_two_workers(tmp_path):
    port, workers = free_port(), (free_port(), free_port())
    conf = configured(tmp_path, port, workers)
    with (
        two_workers(tmp_path, workers),
        running(["nginx", "-g", "daemon off;", "-c", conf]),
    ):
        check_proxy(port, workers[0])
        assert len({worker_of(port)[0] for _ in range(10)}) == 1  # one address, one worker
        assert b" 413 " in refused_size(port, 1200 * 2**20)
    assert not list(Path(tmp_path).glob("pid"))


ALONE = "{\n\tadmin off\n\tskip_install_trust\n\tauto_https disable_redirects\n}\n"
"""What a Caddy of a test leaves out: port 80, the machine's certificates, a port of its own."""


def caddy(folder, port, workers):
    """Write the Caddyfile as shipped, and return what Caddy is started with."""
    path = folder / "Caddyfile"
    path.write_text(ALONE + (DEPLOY / "Caddyfile").read_text())
    surroundings = {
        **os.environ, "XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder),
        "SITE": f"localhost:{port}", "UPSTREAM": " ".join(f"127.0.0.1:{one}" for one in workers),
    }  # fmt: skip
    return ["--config", path, "--adapter", "caddyfile"], surroundings


@needs_caddy
def test_caddy_takes_its_file(tmp_path):
    options, surroundings = caddy(tmp_path, free_port(), (free_port(), free_port()))
    done = subprocess.run(
        ["caddy", "validate", *options], env=surroundings, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@needs_caddy
@only_all
@pytest.mark.timeout(400)
def test_caddy_serves_two_workers(tmp_path):
    port, workers = free_port(), (free_port(), free_port())
    options, surroundings = caddy(tmp_path, port, workers)
    with (
        two_workers(tmp_path, workers),
        running(["caddy", "run", *options], env=surroundings),
    ):
        check_proxy(port, workers[0])
        mine, (cookie,) = worker_of(port)
        assert cookie.startswith("viz_worker=")
        visitor = {"Cookie": cookie.partition(";")[0]}
        assert {worker_of(port, **visitor)[0] for _ in range(10)} == {mine}
        assert {worker_of(port)[0] for _ in range(40)} == {20_000, 20_001}
