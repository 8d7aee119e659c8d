"""Health for load balancers, metrics for Prometheus: numbers only, no names, no addresses."""

import json
import threading
import time
from collections.abc import Callable
from typing import Any

from streamlit import runtime

from ui.server import memory
from ui.server.limits import sessions
from ui.server.limits.uploads import Manager
from ui.server.turns import DEVICE, LONG

_STARTED = time.monotonic()
PREPARED = threading.Event()
"""Set once networks and pages are in memory."""


def health() -> tuple[int, str]:
    """Return the status and the JSON of /health: 200 while new work is taken, else 503."""
    queues = (DEVICE, LONG)
    is_over = any(one.waiting >= one.most_waiting for one in queues)
    full = is_over or memory.used_mb() > memory.most_mb()
    is_ready = PREPARED.is_set() and not full
    state = {
        "ready": is_ready,
        "queue": sum(one.waiting for one in queues),
        "running": sum(one.is_running for one in queues),
        "memory_mb": memory.used_mb(),
        "memory_limit_mb": memory.most_mb(),
    }
    return (200 if is_ready else 503), json.dumps(state)


def _uploads() -> Any:  # noqa: ANN401
    return runtime.get_instance().uploaded_file_mgr if runtime.exists() else None


def _sessions() -> int:
    return sessions.open_count()


def _upload_bytes() -> int:
    manager = _uploads()
    return sum(manager.sizes().values()) if isinstance(manager, Manager) else 0


def _refused() -> int:
    manager = _uploads()
    return manager.refused if isinstance(manager, Manager) else 0


METRICS: dict[str, tuple[str, str, Callable[[], float]]] = {
    "up_seconds": ("gauge", "Seconds since the start.", lambda: time.monotonic() - _STARTED),
    "sessions": ("gauge", "Open sessions.", _sessions),
    "queue_length": ("gauge", "Requests that wait for the device.", lambda: DEVICE.waiting),
    "queue_long_length": ("gauge", "Requests that wait for long work.", lambda: LONG.waiting),
    "running": ("gauge", "Requests that run.", lambda: DEVICE.is_running + LONG.is_running),
    "turns_total": ("counter", "Turns that were given.", lambda: DEVICE.served + LONG.served),
    "wait_seconds_total": (
        "counter",
        "Seconds waited.",
        lambda: DEVICE.seconds_waited + LONG.seconds_waited,
    ),
    "run_seconds_total": (
        "counter",
        "Seconds of work.",
        lambda: DEVICE.seconds_run + LONG.seconds_run,
    ),
    "upload_bytes": ("gauge", "Bytes of uploads that are held.", _upload_bytes),
    "uploads_refused_total": ("counter", "Uploads over a limit.", _refused),
    "memory_bytes": ("gauge", "Memory of the server.", lambda: memory.used_mb() * 2**20),
}
"""Name -> type, what it is, how it is read."""


def metrics() -> str:
    """Return all metrics as Prometheus reads them."""
    lines = []
    for name, (kind, words, read) in METRICS.items():
        full = f"nonlocal_viz_{name}"
        lines += [f"# HELP {full} {words}", f"# TYPE {full} {kind}", f"{full} {float(read()):g}"]
    return "\n".join(lines) + "\n"
