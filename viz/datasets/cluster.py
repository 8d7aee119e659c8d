"""The batches of a data set on a Ray cluster: the same code and the same bytes, one network a GPU.

    from viz.datasets.cluster import Cluster
    export(read("birds"), viz.load("e2-nl", device="cpu"), "out", runner=Cluster("auto").run)

Ray Data hands batches to its actors as fast as they and this process take them, so that nothing
piles up; each actor holds the networks once and has as many threads as this process, which the last
digits of maps depend on. Parts are written here. Machines of a cluster have to see the pictures
under the same paths.
"""

import logging
import os
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from errors import InputError, MachineError
from models import devices
from viz.datasets import shards
from viz.datasets.shards import Batches, Job

AUTO = "auto"
_ROOT = Path(__file__).parents[2]
_REACHED_IN_S, _LAST_PORT = 5, 65535
_SETTINGS, _FRAME_HEAD = 4, 9
"""Of HTTP/2, which gRPC speaks: the type of a frame of settings, the bytes before its content."""
_OPENING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0))
_QUIET = {"RAY_USAGE_STATS_ENABLED": "0"}


@dataclass(frozen=True)
class Cluster:
    """A Ray cluster at ``address``: HOST:PORT or ray://HOST:PORT, or "auto": the one that this
    machine belongs to, else an embedded one that ends with the run.

    ``workers`` processes work at a time; None is one a GPU, without GPUs as many as have cores for
    their threads. ``device`` is where they compute.
    """

    address: str = AUTO
    workers: int | None = None
    device: str = devices.AUTO

    def run(self, job: Job, batches: Batches) -> Iterator[tuple[int, bytes]]:
        """Yield the number and bytes of each part as it is done.

        InputError where Ray is not installed; MachineError where no cluster is reached, or all
        workers died.
        """
        ray = _imported()
        for model in job.models:
            model.network.cpu()  # what is sent has to be read on a machine without a GPU, too
        sent = replace(job, turn=nullcontext)
        with _connected(ray, self.address):
            try:
                yield from _done(ray, sent, batches, self._sharing(ray, len(batches)))
            except ray.exceptions.RayTaskError as problem:
                raise problem.cause if isinstance(problem.cause, Exception) else problem from None
            except ray.exceptions.RayError as problem:
                reason = " ".join(str(problem).split())[:120]
                raise MachineError(
                    f"The workers of the Ray cluster stopped ({reason}); what is finished is kept: "
                    "run the same command again."
                ) from problem

    def _sharing(self, ray: Any, most: int) -> "Sharing":  # noqa: ANN401
        """Return who does the work of at most ``most`` batches."""
        resources, threads = ray.cluster_resources(), torch.get_num_threads()
        gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 1))
        with_gpu = gpus > 0 and self.device != devices.CPU
        count = self.workers or (gpus if with_gpu else cores // threads)
        count = max(1, min(count, most))
        own = 0 if with_gpu else max(1, min(threads, cores // count))
        return Sharing(count, own, int(with_gpu), threads, self.device)


@dataclass(frozen=True)
class Sharing:
    """So many ``workers`` with ``cores`` and ``gpus`` each, on ``device``, with ``threads``."""

    workers: int
    cores: int
    gpus: int
    threads: int
    device: str


class Worker:
    """One process of a cluster: its job, with its networks on its device."""

    def __init__(self, sent: Any, sharing: Sharing) -> None:  # noqa: ANN401
        job = _imported().get(sent)
        self.job, place = job, devices.found(sharing.device)
        torch.set_num_threads(sharing.threads)
        for model in job.models:
            devices.moved(model.network, place)
        if job.models:
            self.job = replace(job, at_once=devices.at_once(place))

    def __call__(self, batch: dict[str, Any]) -> dict[str, list]:
        """Return the part of a row of the table of batches."""
        (number,), (samples,) = batch["number"], batch["samples"]
        return {"number": [number], "part": [shards.part_of(_unpacked(samples), self.job)]}


def _done(
    ray: Any,  # noqa: ANN401
    job: Job,
    batches: Batches,
    sharing: Sharing,
) -> Iterator[tuple[int, bytes]]:
    """Hand the batches to actors; yield what comes back, in any order."""
    rows = [{"number": number, "samples": _packed(batch)} for number, batch in batches]
    table = ray.data.from_items(rows, override_num_blocks=len(rows))
    made = table.map_batches(
        Worker,
        fn_constructor_args=(ray.put(job), sharing),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(size=sharing.workers),
        num_cpus=sharing.cores,
        num_gpus=sharing.gpus,
    )
    for row in made.iter_rows():
        yield int(row["number"]), bytes(row["part"])


def _packed(samples: Any) -> bytes:  # noqa: ANN401
    from ray import cloudpickle  # noqa: PLC0415 (an extra)

    return cloudpickle.dumps(tuple(samples))


def _unpacked(content: bytes) -> Any:  # noqa: ANN401
    from ray import cloudpickle  # noqa: PLC0415 (an extra)

    return cloudpickle.loads(content)


def _imported() -> Any:  # noqa: ANN401
    try:
        os.environ.update(_QUIET)
        import ray  # noqa: PLC0415 (an extra)
        import ray.data  # noqa: PLC0415
    except ImportError as problem:
        raise InputError(
            "Work on a cluster needs the package ray; pip install 'ray[data]', or leave out --ray."
        ) from problem
    return ray


@contextmanager
def _connected(ray: Any, address: str) -> Iterator[None]:  # noqa: ANN401
    """Connect to a cluster, or use the connection that there is already; one that was made here is
    closed again."""
    if ray.is_initialized():
        yield
        return
    _check_reached(address)
    quiet = {"log_to_driver": False, "logging_level": "ERROR", "configure_logging": False}
    try:
        _connect(ray, address, quiet)
    except (ConnectionError, RuntimeError, ValueError, TimeoutError) as problem:
        raise _not_reached(address, problem) from problem
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, quiet: dict[str, object]) -> None:  # noqa: ANN401
    if address != AUTO:
        modules = [str(_ROOT / name) for name in ("viz", "models")]
        there = {"py_modules": modules, "env_vars": {"PYTHONPATH": str(_ROOT)}}
        ray.init(address=address, runtime_env=there, **quiet)
        return
    try:
        ray.init(address=AUTO, **quiet)
    except ConnectionError:
        # Workers find the packages where this process found them.
        there = {"env_vars": {"PYTHONPATH": str(_ROOT)}}
        ray.init(address="local", include_dashboard=False, runtime_env=there, **quiet)


def _check_reached(address: str) -> None:
    """Refuse an address that no Ray listens at, before Ray waits for it for minutes."""
    if address in (AUTO, "local"):
        return
    host, sign, port = address.removeprefix("ray://").rpartition(":")
    number = int(port) if re.fullmatch("[0-9]{1,5}", port) else 0
    # A number beyond the last port is another port to the system: it takes the last 16 bits.
    if not sign or not host or not 0 < number <= _LAST_PORT:
        raise InputError(
            f"--ray {address[:60]!r} is not an address; give auto, HOST:PORT or ray://HOST:PORT, "
            f"with a port from 1 to {_LAST_PORT}."
        )
    try:
        with socket.create_connection((host, number), _REACHED_IN_S) as there:
            there.settimeout(_REACHED_IN_S)
            if os.environ.get("RAY_USE_TLS", "0") == "0":
                _check_grpc(there)
    except OSError as problem:
        raise _not_reached(address, problem) from problem


def _check_grpc(there: socket.socket) -> None:
    """Refuse what listens and is no Ray, which Ray would wait for a quarter of an hour: a gRPC
    server answers the opening of HTTP/2 with its settings (RFC 9113, section 3.4)."""
    answer = b""
    with suppress(ConnectionError):  # hung up on
        there.sendall(_OPENING)
        while len(answer) < _FRAME_HEAD and (more := there.recv(_FRAME_HEAD - len(answer))):
            answer += more
    if len(answer) < _FRAME_HEAD or answer[3] != _SETTINGS:
        raise OSError("what listens there is not Ray")


def _not_reached(address: str, problem: Exception) -> MachineError:
    reason = getattr(problem, "strerror", None) or " ".join(str(problem).split())[:100]
    return MachineError(
        f"No Ray cluster was reached at {address[:60]} ({reason}); start one, or give --ray auto "
        "to use this machine."
    )
