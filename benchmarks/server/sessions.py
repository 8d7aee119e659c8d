"""Twenty sessions on one server, each with its own picture and 4 picks; what one visitor costs."""

import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.server.serving import Served, served
from benchmarks.server.visitor import Visitor, photo

SESSIONS, PICKS, ALONE = 20, 4, 5
GONE_S, SETTLED_S = 120, 100
LIMITS = "[limits]\nsession_upload_mb = 8\n"
"""Settings of the server: visitors are forgotten as soon as on any other shared one."""


@dataclass(frozen=True)
class Figures:
    """What was measured, times in s, memory in MB; ``faults`` are errors and pictures of others."""

    uploads: list[float]
    picks: list[float]
    before: int
    after: int
    load: float
    faults: list[str]

    def lines(self) -> Iterator[str]:
        """Yield the figures in words."""
        many, each = len(self.uploads), len(self.picks) // max(1, len(self.uploads))
        yield (
            f"{many} sessions at once, each with its own picture and {each} picks: upload to map "
            f"{median(self.uploads):.1f} s in the median, {max(self.uploads):.1f} s at the most; "
            f"a pick {median(self.picks):.2f} s and {max(self.picks):.2f} s"
        )
        yield f"errors and pictures of others: {len(self.faults)}{''.join(self.faults[:3])}"
        yield f"memory of the server: {self.before} MB before, {self.after} MB after they had gone"
        yield f"load of the machine before: {self.load:.1f} on {os.cpu_count()} cores"


def visit(server: Served, number: int, picks: int = PICKS) -> tuple[list[float], list[str]]:
    """Upload a picture and pick; return the seconds of the upload and of each pick, and what went
    wrong."""
    visitor, name = Visitor(server.port), f"photo{number}.jpg"
    try:
        began = time.monotonic()
        visitor.upload(photo(number), name)
        took = [time.monotonic() - began]
        for row in range(picks):
            began = time.monotonic()
            visitor.pick(1 + row)
            took.append(time.monotonic() - began)
        return took, list(faults(visitor.says(), name))
    finally:
        visitor.close()


def faults(said: str, name: str) -> Iterator[str]:
    """Yield what is wrong with what a page says to the visitor who brought the picture ``name``."""
    if f"In use: {name}" not in said:
        yield f"; {name} is not shown"
    if said.count("photo") != said.count(name):
        yield f"; another picture than {name}"
    if "exception" in said.lower():
        yield f"; {name}: an error"


def settled(server: Served) -> int:
    """Return the memory in MB of a server that has had one visitor, who is forgotten again."""
    visit(server, 0, 1)
    time.sleep(SETTLED_S)
    return server.memory_mb()


def measured(server: Served, before: int, sessions: int = SESSIONS) -> Figures:
    """Let so many sessions come at once to a server that had ``before`` MB."""
    load = os.getloadavg()[0]
    with ThreadPoolExecutor(sessions) as pool:
        found = list(pool.map(lambda number: visit(server, number), range(1, sessions + 1)))
    return Figures(
        [took[0] for took, _ in found],
        [pick for took, _ in found for pick in took[1:]],
        before,
        server.settled_mb(1.1 * before, GONE_S),
        load,
        [fault for _, wrong in found for fault in wrong],
    )


def alone(server: Served) -> str:
    """Return what one visitor after another costs, in processor time of the server."""
    costs: dict[str, list[float]] = {"opening": [], "upload to map": [], "pick": []}

    def step(name: str, act: object) -> object:
        began = server.processor_s()
        done = act()
        costs[name].append(server.processor_s() - began)
        return done

    for number in range(100, 100 + ALONE):
        visitor = step("opening", lambda: Visitor(server.port))
        step("upload to map", lambda v=visitor, n=number: v.upload(photo(n), f"photo{n}.jpg"))
        for row in range(PICKS):
            step("pick", lambda v=visitor, r=row: v.pick(1 + r))
        visitor.close()
    found = ", ".join(f"{name} {1000 * median(took):.0f} ms" for name, took in costs.items())
    return f"processor time of one visitor alone (steps of 10 ms): {found}"


def report() -> Iterator[str]:
    """Yield the lines of this suite."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "server.toml"
        settings.write_text(LIMITS)
        with served(settings) as server:
            yield alone(server)
            yield from measured(server, settled(server)).lines()
