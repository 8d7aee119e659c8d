"""A server of its own for a measurement or a test: started, waited for, asked, ended."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATIENCE_S = 120
_TICKS = os.sysconf("SC_CLK_TCK")


class Served:
    """A server that runs: its port and its process."""

    def __init__(self, port: int, process: subprocess.Popen) -> None:
        self.port, self.process = port, process

    def health(self) -> dict:
        """Return what /health says, ready or not."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=20) as told:
                return json.load(told)
        except urllib.error.HTTPError as told:
            return json.load(told)

    def metric(self, name: str) -> float:
        """Return one number of /metrics."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=20) as told:
            lines = told.read().decode().splitlines()
        return next(
            float(line.split()[1]) for line in lines if line.startswith(f"nonlocal_viz_{name} ")
        )

    def memory_mb(self) -> int:
        """Return the memory of the process itself, without its children."""
        return self.health()["memory_mb"]

    def processor_s(self) -> float:
        """Return the seconds of processor time that the process has taken, without its children."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def settled_mb(self, most: float, seconds: float) -> int:
        """Wait until the memory is at most ``most`` MB, or so many seconds; return it."""
        until = time.monotonic() + seconds
        while (used := self.memory_mb()) > most and time.monotonic() < until:
            time.sleep(1)
        return used


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def await_streamlit(address: str, process: subprocess.Popen, step_s: float = 0.25) -> None:
    """Wait until Streamlit serves at an address, looking every ``step_s`` seconds; RuntimeError
    where its process ends before, or two minutes pass."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError(
                "the app stopped before it served anything; run `make app` to see why"
            )
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as reply:
                if reply.status == 200:
                    return
        except OSError:
            time.sleep(step_s)
    raise RuntimeError(f"the app did not answer within {_PATIENCE_S} seconds")


@contextmanager
def served(
    settings: Path | None = None, port: int | None = None, **surroundings: str
) -> Iterator[Served]:
    """Run a server until the ``with`` body ends; yields it when it is ready."""
    port = port or free_port()
    command = [sys.executable, "-m", "viz", "serve", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--settings", str(settings)] if settings else command,
        cwd=ROOT,
        env={**os.environ, **surroundings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        found = Served(port, process)
        _wait(found)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(found: Served) -> None:
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until and found.process.poll() is None:
        try:
            if found.health()["ready"]:
                return
        except OSError:
            pass
        time.sleep(0.3)
    raise TimeoutError(f"no server at port {found.port} after {_PATIENCE_S} s")
