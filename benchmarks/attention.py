"""Networks of other libraries: what capture costs, what it keeps, pointer to heat; beside others.

The networks have random weights: nothing is downloaded, and time does not depend on them.
"""

import importlib.util
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from playwright.sync_api import Page
from torch import Tensor, nn

import viz
from benchmarks.browser.tab import DRAWN, REST, Figure, hover_figures, in_browser
from models.loaded import LoadedModel
from models.zoo.wrapped.libraries import registry
from viz.attention import forward, pipeline
from viz.attention.captures import Capture
from viz.attention.kinds.tokens.factors import window_weights
from viz.types import Clip

SMALL = "timm:vit_small_patch16_224?pretrained=no"
DINO = "timm:vit_small_patch14_dinov2?pretrained=no"
ROUNDS, WARM_UP = 21, 3
MEGABYTE = 1e6


def report() -> Iterator[str]:
    """Measure and yield the lines as they come."""
    model = registry.load(SMALL)
    yield from _capture_lines(model)
    yield from _memory_lines()
    yield from in_browser(_browser_lines)


def _capture_lines(model: LoadedModel) -> Iterator[str]:
    """Time plain forward, capture, a hook script and pytorch-grad-cam in turns on one input."""
    module = model.network.module
    clip = _noise(224)
    x = pipeline.prepare(model, clip, "center-crop")
    picture = x.tensor[:, :, 0]
    runs: dict[str, Callable[[], object]] = {
        "plain": lambda: _plain(module, picture),
        "capture": lambda: forward.capture(model, x),
        "hook script": lambda: _hooked(module, picture),
    }
    if (others := _grad_cam(module, picture)) is not None:
        runs["pytorch-grad-cam"] = others
    times = _in_turns(runs)
    plain = times["plain"]
    ratio = statistics.median(c / p for c, p in zip(times["capture"], plain, strict=True))
    yield Figure("capture / plain forward, vit_small at 224 px", ratio, 1.10, "").line()
    for name, taken in times.items():
        yield f"  {name}: {1e3 * statistics.median(taken):.1f} ms (median of {ROUNDS})"
    if others is None:
        yield "  pytorch-grad-cam: not installed (pip install grad-cam)"
    exact, by_hand = _rows(forward.capture(model, x)), _hooked(module, picture)[-1]
    off = (exact - by_hand).abs().max()
    yield f"  largest difference from the hook script's weights: {off:.2g}"


def _in_turns(runs: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Return seconds of each of ROUNDS runs, in turns, so that a busy machine is fair to all."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(ROUNDS + WARM_UP):
        for name, run in runs.items():
            began = time.perf_counter()
            run()
            if number >= WARM_UP:
                times[name].append(time.perf_counter() - began)
    return times


def _plain(module: nn.Module, picture: Tensor) -> Tensor:
    with torch.no_grad():
        return module(picture)


def _hooked(module: nn.Module, picture: Tensor) -> list[Tensor]:
    """Return every table of weights (H, N, N) as scripts get them: fused attention switched off."""
    kept, handles = [], []
    for block in module.blocks:
        block.attn.fused_attn = False
        hook = block.attn.attn_drop.register_forward_hook(lambda _m, _a, out: kept.append(out[0]))
        handles.append(hook)
    try:
        _plain(module, picture)
    finally:
        for handle, block in zip(handles, module.blocks, strict=True):
            handle.remove()
            block.attn.fused_attn = True
    return kept


def _rows(capture: Capture) -> Tensor:
    """Return the weights of the last layer, (H, N, N)."""
    block = list(capture.blocks.values())[-1]
    return window_weights(block, 0, torch.arange(block.queries.shape[2]))


def _grad_cam(module: nn.Module, picture: Tensor) -> Callable[[], object] | None:
    """Return one class map by pytorch-grad-cam, as its tutorial for transformers makes it."""
    if importlib.util.find_spec("pytorch_grad_cam") is None:
        return None
    from pytorch_grad_cam import GradCAM

    def on_grid(tokens: Tensor) -> Tensor:
        return tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, 14, 14)

    cam = GradCAM(module, [module.blocks[-1].norm1], reshape_transform=on_grid)
    return lambda: cam(picture, targets=None)


def _memory_lines() -> Iterator[str]:
    """Say what a capture of DINOv2-S at 518 px keeps."""
    model = registry.load(DINO)
    capture = viz.capture(model, _noise(518), mode="center-crop")
    blocks = list(capture.blocks.values())
    factors = sum(part.nbytes for one in blocks for part in (one.queries, one.keys))
    name = "factors of DINOv2-S at 518 px, 12 layers"
    yield Figure(name, factors / MEGABYTE, 60, "MB").line()
    yield f"  with each layer's input as float16 and the cells: {capture.nbytes / MEGABYTE:.1f} MB"
    whole = sum(4 * one.heads * one.queries.shape[2] * one.keys.shape[2] for one in blocks)
    yield f"  the tables of weights would take {whole / MEGABYTE:.0f} MB"
    rows = _timed(lambda: viz.maps(capture, at=(200, 300)))
    yield f"  rows of all heads at a reference in Python: {1e3 * rows:.1f} ms (median of {ROUNDS})"


def _timed(run: Callable[[], object]) -> float:
    return statistics.median(_in_turns({"": run})[""])


def _browser_lines(tab: Page, address: str, _count_file: Path) -> Iterator[str]:
    """Measure pointer to heat for 1,369 tokens x 6 heads, all heads as small maps beside."""
    name = DINO.replace(":", "%3A").replace("?", "%3F").replace("=", "%3D")
    tab.goto(f"{address}/?net={name}&beside=none&size=518&mode=center-crop")
    tab.wait_for_selector(DRAWN)
    tab.wait_for_selector(REST)
    what = "N=1369 x 6 heads"
    for figure in hover_figures(tab, what, (8, 16), "one network"):
        yield figure.line()


def _noise(side: int) -> Clip:
    """Return a picture of noise; times do not depend on it."""
    pixels = np.random.default_rng(3).integers(0, 256, (1, side, side, 3), dtype=np.uint8)
    return Clip(pixels, (0.0,), "noise", "0" * 64)
