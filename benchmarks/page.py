"""The suites, and the page that all of them make: the machine named, a section a suite."""

import importlib
import os
import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path

import torch

from benchmarks.timing import within

SUITES: dict[str, tuple[str, ...]] = {
    "explore": ("benchmarks.browser.explore", "benchmarks.compute.networks"),
    "costs": ("viz.evaluation.costs.counting",),
    "clips": ("benchmarks.clips", "benchmarks.browser.clips"),
    "attention": ("benchmarks.attention",),
    "detectors": ("benchmarks.browser.detectors",),
    "figures": ("benchmarks.figures", "benchmarks.browser.figures"),
    "datasets": ("benchmarks.compute.datasets",),
    "peers": ("benchmarks.compute.peers", "benchmarks.browser.widgets"),
    "blocks": ("benchmarks.compute.blocks",),
    "server": ("benchmarks.server.photos", "benchmarks.server.sessions"),
}
"""Suite -> the modules whose ``report()`` gives its lines."""
FAILED = "FAILED"
LONGEST_S = 420
"""Seconds after which a module is given up."""
_TITLES = {
    "explore": "Explore: pointer, upload, capture",
    "costs": "Parameters and multiply-adds beside the papers'",
    "clips": "Clips",
    "attention": "Layers of any network that attends",
    "detectors": "Detectors: the pointer on 800 x 1344 pixels",
    "figures": "Figures",
    "datasets": "Data sets: evaluate and export",
    "peers": "The same work by others",
    "blocks": "Blocks against the machine's floors; on a GPU",
    "server": "One server, many sessions",
}


def lines_of(suite: str) -> Iterator[str]:
    """Yield the lines of a suite; a module that fails, or does not end, is named, and the next one
    follows."""
    for module in SUITES[suite]:
        try:
            with within(LONGEST_S):
                yield from importlib.import_module(module).report()
        except Exception as problem:  # one suite must not end the run of all
            reason = " ".join(str(problem).split())[:160]
            yield f"{FAILED}: {module}: {type(problem).__name__}: {reason}"


def failures(found: Mapping[str, list[str]]) -> list[str]:
    """Return the lines of what could not be measured."""
    return [line for lines in found.values() for line in lines if line.startswith(FAILED)]


_QUOTE = re.compile("(<!-- quoted from docs/benchmarks.md .*? -->\n).*?(<!-- end -->)", re.DOTALL)
_WITH_GOAL = ("(goal", "(at most", FAILED)


def quoted(readme: str, found: Mapping[str, list[str]]) -> str:
    """Return the README with the lines that have a goal, by suite, between its two marks."""
    lines = [f"{machine()}"]
    for suite, own in found.items():
        chosen = [line.rstrip() for line in own if any(mark in line for mark in _WITH_GOAL)]
        if chosen:
            lines += ["", f"{_TITLES[suite]}", *(f"  {line.strip()}" for line in chosen)]
    block = "\n".join(["```", *lines, "```", ""])
    return _QUOTE.sub(lambda marks: f"{marks[1]}{block}{marks[2]}", readme)


def machine() -> str:
    """Return the processor, cores, GPU, and the versions that times depend on."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{_processor()}, {os.cpu_count()} cores, {gpu}; Python {platform.python_version()}, torch "
        f"{version('torch')} with {torch.get_num_threads()} threads"
    )


def _processor() -> str:
    """Return the processor's name where Linux says it, else what Python knows."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text().splitlines() if information.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _named(found: Mapping[str, list[str]]) -> str:
    """Return the names of suites as the command takes them; nothing for all."""
    return "" if set(found) == set(SUITES) else "".join(f" {suite}" for suite in found)


def written(found: Mapping[str, list[str]]) -> str:
    """Return the page of all suites' lines, as Markdown."""
    parts = [
        "# Benchmarks\n",
        f"One run of `python -m benchmarks{_named(found)}`. Ratios are of medians, all taken in "
        "turns in the same run,\nso that noise hits both sides alike; times alone hold for this "
        "machine only.\n",
        f"Machine: {machine()}.\n",
    ]
    if failed := failures(found):
        parts.append("Not all of it could be measured:\n")
        parts += [*(f"* {line}" for line in failed), ""]
    for suite, lines in found.items():
        parts += [f"## {_TITLES[suite]}\n", "```", *(line.rstrip() for line in lines), "```\n"]
    return "\n".join(parts)
