"""How everything is timed: all sides in turns in one process, so that noise hits them alike."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from statistics import median, quantiles

import torch

Runs = Mapping[str, Callable[[], object]]
Times = dict[str, list[float]]


AGAIN_S = 30


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise TimeoutError in the ``with`` body once it takes longer, and every AGAIN_S after that,
    so that what tidies up cannot hang either. In the main thread, where the system has alarms."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def late(*_given: object) -> None:
        raise TimeoutError(f"not done after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def settled(device: str) -> None:
    """Wait until a GPU has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def in_turns(runs: Runs, rounds: int, warm_up: int = 1, device: str = "cpu") -> Times:
    """Return the seconds of each run in each round, the first ``warm_up`` rounds left out."""
    times: Times = {name: [] for name in runs}
    for _ in range(rounds + warm_up):
        for name, run in runs.items():
            settled(device)
            began = time.perf_counter()
            run()
            settled(device)
            times[name].append(time.perf_counter() - began)
    return {name: taken[warm_up:] for name, taken in times.items()}


def alternately(runs: Runs, rounds: int) -> dict[str, float]:
    """Return the median seconds of each run, in turns."""
    return {name: median(taken) for name, taken in in_turns(runs, rounds).items()}


def ratio(times: Times, one: str, other: str) -> str:
    """Return the median over rounds of ``one`` / ``other``, with its quartiles: "0.68 (0.66 to
    0.71)"."""
    shares = [a / b for a, b in zip(times[one], times[other], strict=True)]
    if len(shares) < 2:
        return f"{shares[0]:.2f}"
    low, middle, high = quantiles(shares, n=4)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def milliseconds(times: Times, name: str) -> str:
    """Return the median of one run: "12.3 ms"."""
    return f"{1e3 * median(times[name]):.1f} ms"
