"""What clips cost: decoding, capture, memory without N x N, MP4 export against bare encoding.

Hover in the browser is measured by benchmarks.browser.clips.
"""

import io
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import av
import numpy as np
import torch

from benchmarks.timing import alternately
from models.blocks.layout import Grid
from models.build import build
from models.loaded import LoadedModel
from models.specs.network import ModelSpec
from models.zoo import catalogue
from viz import geometry
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.attention.forward import capture
from viz.attention.kinds.registry import kind_of
from viz.figure import composition
from viz.figure.files import movie
from viz.figure.recipe.recipe import Medium, Network, Recipe, Reference, View
from viz.media import footage
from viz.rendering import movie_files
from viz.rendering.look import Look
from viz.types import Cell, Clip, ModelInput, Sampling

ROOT = Path(__file__).parents[1]
SECONDS, FPS, WIDTH, HEIGHT = 10, 30, 1280, 720
FRAMES, SIDE = 8, 224
LONG_FRAMES, LONG_SIDE = 32, 448
"""At 448 px a grid of res4 has 28 x 28 cells."""
ROUNDS = 7
BUNDLED = ("e2-nl", "e2-cgnl")


def moving_picture(index: int, height: int, width: int) -> np.ndarray:
    """Return a drawn frame (H, W, 3) uint8: soft colours, grain, and a disc that crosses it."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    grain = np.random.default_rng(index).normal(0, 3, (height, width, 1))
    soft = np.stack([200 * x / width, 160 * y / height, 90 + 60 * np.sin(x / 40 + index / 5)], -1)
    disc = (x - width * (index % 60) / 60) ** 2 + (y - height / 2) ** 2 < (height / 6) ** 2
    soft[disc] = (240, 220, 60)
    return (soft + grain).clip(0, 255).astype(np.uint8)


def encoded(pictures: Iterable[np.ndarray], width: int, height: int) -> bytes:
    """Return pictures as an MP4 in memory, by PyAV alone; x264 as our own movies use it."""
    packed = io.BytesIO()
    with av.open(packed, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FPS, options=movie_files.QUALITY)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.thread_count = movie_files.THREADS
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return packed.getvalue()


def decoding() -> str:
    """Time reading a 10 s 720p clip from memory and decoding the frames that are taken."""
    total = SECONDS * FPS
    drawn = (moving_picture(k, HEIGHT, WIDTH) for k in range(total))
    content = encoded(drawn, WIDTH, HEIGHT)
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        clip = footage.read(content, "drawn.mp4").sample(Sampling(8, 8))
        times.append(time.perf_counter() - began)
    return (
        f"decode + sample {len(clip.frames)} x 8 of {SECONDS} s at {WIDTH} x {HEIGHT} "
        f"({len(content) / 1e6:.1f} MB): {1e3 * median(times):.0f} ms"
    )


def bundled_specs() -> dict[str, ModelSpec]:
    """Return the specs of the bundled NL and CGNL networks of pictures, by id."""
    specs = {entry.id: entry.spec for entry in catalogue.bundled() if entry.spec is not None}
    return {name: specs[name] for name in BUNDLED}


def random_network(name: str, spec: ModelSpec) -> LoadedModel:
    """Return a network of random weights, laid out as the catalogue does."""
    return catalogue.ready(LoadedModel(name, spec, build(spec).eval(), (), ""))


def drawn_input(frames: int, side: int) -> ModelInput:
    """Return noise as a network's input."""
    plan = geometry.fit(side, side, side, 32)
    return ModelInput(torch.randn(1, 3, frames, side, side), plan, frames)


@torch.no_grad()
def capturing() -> Iterator[str]:
    """Time capturing clips against the plain forward of the same network and of its trunk."""
    model_input = drawn_input(FRAMES, SIDE)
    for name, spec in bundled_specs().items():
        model = random_network(name, spec)
        trunk = random_network("trunk", replace(spec, block=None, placement="none"))
        runs = {
            "capture": lambda model=model: capture(model, model_input),
            "forward": lambda model=model: model.network(model_input.tensor),
            "trunk": lambda trunk=trunk: trunk.network(model_input.tensor),
        }
        times = alternately(runs, ROUNDS)
        yield (
            f"capture of {name}, {FRAMES} x {SIDE} x {SIDE}: "
            f"{times['capture'] / times['trunk']:.2f} of the plain trunk's forward "
            f"({1e3 * times['trunk']:.0f} ms), "
            f"{times['capture'] / times['forward']:.2f} of the same network's with its block"
        )


def resident(field: str) -> float:
    """Return a field of /proc/self/status in MB: VmRSS now, VmHWM at its highest."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1e3
    raise LookupError(field)


@torch.no_grad()
def print_peak(name: str, what: str) -> None:
    """Print by how many MB this process grew at most, in one capture and row or plain forward."""
    model = random_network(name, bundled_specs()[name])
    capture(model, drawn_input(1, 64))
    model_input = drawn_input(LONG_FRAMES, LONG_SIDE)
    before = resident("VmRSS")
    if what == "forward":
        model.network(model_input.tensor)
    else:
        (block,) = capture(model, model_input).blocks.values()
        kind_of(block).map(block, Cell(LONG_FRAMES // 2, 14, 14))
    print(resident("VmHWM") - before)


def memory() -> str:
    """Measure capture + row at 32 x 28 x 28 in fresh processes, beside what N x N would take."""

    def grown(what: str) -> float:
        code = f"from benchmarks.clips import print_peak; print_peak('e2-nl', {what!r})"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    grid = Grid(LONG_FRAMES, LONG_SIDE // 16, LONG_SIDE // 16)
    return (
        f"peak memory, {grid.frames} x {grid.rows} x {grid.cols} (N = {grid.cells}): capture + row "
        f"{grown('capture'):.0f} MB over the input, forward alone {grown('forward'):.0f} MB; "
        f"N x N would be {4 * grid.cells**2 / 1e6:.0f} MB more"
    )


@dataclass(frozen=True, eq=False)
class DrawnSources:
    """Where the movie's recipe finds its one clip and the one capture of it."""

    shown: Clip
    captured: Capture

    def clip(self, medium: Medium) -> Clip:
        """Return the clip."""
        del medium
        return self.shown

    def model(self, network: Network) -> LoadedModel:
        """Return the network."""
        del network
        return self.captured.model

    def capture(self, medium: Medium, view: View) -> Capture:
        """Return what the one forward pass left."""
        del medium, view
        return self.captured


def movie_recipe(clip: Clip) -> Recipe:
    """Return what a page shows of a patch of the clip: the row of one NL block."""
    medium = Medium("drawn.mp4", "", tuple(range(len(clip.frames))))
    middle = (clip.width / 2, clip.height / 2)
    views = (View(Network("e2-nl", "")),)
    return composition.view_recipe([Reference(medium, views, middle, frame=2)], Look())


def exporting() -> str:
    """Time a movie of 32 frames of 448 px against PyAV encoding the same pictures."""
    frames = np.stack([moving_picture(k, LONG_SIDE, LONG_SIDE) for k in range(LONG_FRAMES)])
    clip = Clip(frames, tuple(k / FPS for k in range(LONG_FRAMES)), "drawn", "")
    model = random_network("e2-nl", bundled_specs()["e2-nl"])
    sources, recipe = DrawnSources(clip, pipeline.capture(model, clip)), movie_recipe(clip)
    made = movie.movie(recipe, sources, movie_files.KINDS["mp4"].largest)
    pictures = list(movie_files.pictures(made))
    height, width = made.shape
    runs = {
        "ours": lambda: movie.write(recipe, sources, "mp4"),
        "bare": lambda: encoded(pictures, width, height),
    }
    times = alternately(runs, ROUNDS)
    return (
        f"MP4 export of {LONG_FRAMES} frames at {LONG_SIDE} px / bare PyAV encoding of its "
        f"pictures (goal <= 1.50): {times['ours'] / times['bare']:.2f} ({times['ours']:.2f} s)"
    )


def report() -> Iterator[str]:
    """Yield the lines that ``python -m benchmarks clips`` prints, as they are measured."""
    yield decoding()
    yield from capturing()
    yield memory()
    yield exporting()
