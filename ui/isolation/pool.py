"""The children of a server: started ahead, lent for one job at a time, replaced when they die."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from errors import AttentionVizError, MachineError
from ui.isolation import channel
from ui.isolation.child import PERHAPS_TOO_LARGE, READY, TOO_LARGE, refusal
from ui.isolation.jobs import KINDS, Kind
from ui.server.turns import Turns
from ui.server.visitor import session_id

CHILDREN = max(2, min(4, os.cpu_count() or 1))
STARTING_S = 60
_LOOK_EVERY_S = 0.1
_ROOT = Path(__file__).resolve().parents[2]
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
_MEMORY = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),  # the highest that glibc takes
    "MALLOC_TRIM_THRESHOLD_": str(128 * 2**20),
}
"""A child keeps so much memory: that of a photo need not be had anew for the next one."""
_PROGRAM = "import sys; from ui.isolation.child import main; main(int(sys.argv[1]))"


def nothing(share: float | None = None, place: int = 0) -> None:
    """Let a child finish, whatever it tells."""
    del share, place


class Child:
    """One child process and the socket to it."""

    def __init__(self) -> None:
        self.socket, theirs = socket.socketpair()
        surroundings = {k: os.environ[k] for k in _KEPT_VARIABLES if k in os.environ}
        threads = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                cwd=_ROOT,
                env={**surroundings, **threads, **_MEMORY},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        self._is_ready = False

    def ask(
        self, request: dict, blocks: Sequence[int], patience: float, look: Callable[..., None]
    ) -> tuple[dict, list[int]]:
        """Return the answer to a request; TimeoutError, BrokenChannelError or OSError without one.

        ``look`` is called while it is waited for, with the share that is done where the child
        tells it; whatever it raises ends the work.
        """
        if not self._is_ready:
            ready, _ = self._received(time.monotonic() + STARTING_S, look)
            if ready != READY:
                raise channel.BrokenChannelError("no child of ours")
            self._is_ready = True
        self.socket.settimeout(None)
        channel.send(self.socket, request, blocks)
        return self._received(time.monotonic() + patience, look)

    def _received(self, until: float, look: Callable[..., None]) -> tuple[dict, list[int]]:
        while True:
            look()
            self.socket.settimeout(_LOOK_EVERY_S)
            try:
                self.socket.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                if time.monotonic() > until:
                    raise
                continue
            self.socket.settimeout(max(1.0, until - time.monotonic()))
            message, blocks = channel.receive(self.socket)
            if channel.SHARE not in message:
                return message, blocks
            channel.close(blocks)
            look(channel.share(message))
            if time.monotonic() > until:  # a child that only ever tells how far it is
                raise TimeoutError

    def end(self) -> int:
        """End the process, whatever it does; return how it ended, as subprocess tells."""
        self.process.kill()
        self.socket.close()
        return self.process.wait()


class Pool:
    """At most ``children`` jobs at a time; of those who wait, the session goes next that was served
    the longest ago."""

    def __init__(self, children: int = CHILDREN) -> None:
        self._free: list[Child] = []
        self._lock = threading.Lock()
        self._turns = Turns(places=children)
        self._children = children

    def warm(self) -> None:
        """Start all children, without waiting for them."""
        with self._lock:
            self._free += [Child() for _ in range(self._children - len(self._free))]

    def run(
        self,
        request: dict,
        blocks: Sequence[int],
        name: str,
        look: Callable[..., None] = nothing,
    ) -> tuple[dict, list[int]]:
        """Have a child do the job request["kind"] on a file called ``name``; return what it told
        and the descriptors of its blocks, which the caller closes.

        The refusal of the reader is raised as it is. A child that dies, or takes longer than its
        kind may, is one line (the kind's refusal) and a new child.
        """
        kind = KINDS[request["kind"]]
        size = sum(os.fstat(block).st_size for block in blocks) // 2**20
        limited = {
            **request,
            "megabytes": kind.megabytes + kind.growth * size,
            "seconds": kind.seconds,
            "result_mb": kind.result_mb,
        }
        with self._turns.turn(session_id(), lambda place, _seconds: look(place=place)):
            child = self._taken()
            try:
                reply, made = child.ask(limited, blocks, kind.patience, look)
            except (TimeoutError, channel.BrokenChannelError, OSError) as problem:
                ended = child.end()
                raise _without_answer(problem, name, kind, ended) from problem
            except BaseException:
                child.end()
                raise
            with self._lock:
                self._free.append(child)
        return _told(reply, made, name, kind._replace(megabytes=limited["megabytes"]))

    def _taken(self) -> Child:
        with self._lock:
            while self._free:
                child = self._free.pop()
                if child.process.poll() is None:
                    return child
                child.end()
        try:
            return Child()
        except OSError as problem:
            raise MachineError(
                f"No process could be started to read the file ({problem.strerror}); try again."
            ) from problem

    def close(self) -> None:
        """End all children that are not at work."""
        with self._lock:
            for child in self._free:
                child.end()
            self._free.clear()

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the children that wait for work."""
        with self._lock:
            return tuple(child.process.pid for child in self._free)


def _told(reply: dict, made: list[int], name: str, kind: Kind) -> tuple[dict, list[int]]:
    if isinstance(told := reply.get("told"), dict):
        return told, made
    channel.close(made)
    needs = {TOO_LARGE: "needs", PERHAPS_TOO_LARGE: "is damaged or needs"}.get(reply.get("failed"))
    if needs:
        raise kind.refusal(
            f"{name} {needs} more than the {kind.megabytes:,} MB of memory that reading it may "
            f"take. {kind.less}"
        )
    refused = refusal(reply)
    if refused is not None:
        raise refused
    raise kind.refusal(f"{name} could not be read ({str(reply.get('failed'))[:60]}). {kind.remedy}")


def _without_answer(problem: Exception, name: str, kind: Kind, ended: int) -> AttentionVizError:
    if isinstance(problem, TimeoutError):
        return kind.refusal(f"{name} takes more than {kind.patience:.0f} s to read. {kind.less}")
    if ended == -signal.SIGXCPU:
        return kind.refusal(
            f"{name} takes more than the {kind.seconds} s of processor time that reading it may "
            f"take. {kind.less}"
        )
    return kind.refusal(
        f"{name} could not be read: what reads it broke down or needed more than its share of "
        f"memory or time. {kind.remedy}"
    )
