"""Load every checkpoint of a folder of reference cases and compare with the originals' outputs.

    python -m scripts.goldens.verify_goldens FOLDER

FOLDER/FAMILY/NAME.(pth|pth.tar|pyth|pkl) with NAME.expect.pt beside it: "input" (normalised) or
"frames_uint8", "logits", and "attention" {block: (B, N, M)} and/or "taps". Exits 1 if any
difference is over what scripts.goldens.golden_cases allows, if a file cannot be loaded, or if none
is found.
"""

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from errors import AttentionVizError
from models import checkpoints
from models.loaded import LoadedModel
from models.report import UndecidedError
from models.specs.network import ModelSpec
from scripts.goldens.golden_blocks import gate_cases, nonlocal_cases
from scripts.goldens.golden_cases import (
    OF_LARGEST,
    RELATIVE,
    ROUNDING,
    Difference,
    Observed,
    compare,
    observe_twice,
)
from scripts.goldens.golden_detectors import detector_faults

CONTAINERS = (".pth.tar", ".pth", ".pyth", ".pkl", ".pt", ".safetensors")
BYTE_MEAN, BYTE_DEVIATION = 114.75, 57.375
EVERY = re.compile(r"\.rows_every_(\d+)$")


def cases(folder: Path) -> Iterator[tuple[Path, Path | None]]:
    """Yield every checkpoint with its expectation, or None where there is none."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        container = next((c for c in CONTAINERS if path.name.endswith(c)), None)
        if container and not path.name.endswith(".expect.pt"):
            expected = path.with_name(path.name.removesuffix(container) + ".expect.pt")
            yield path, expected if expected.exists() else _converted_from(path)


def _converted_from(path: Path) -> Path | None:
    """A converted network must give what the one it was converted from gives."""
    if path.parent.name != "tushar":
        return None
    found = sorted(path.parent.parent.glob("fb_nonlocal/*i3d*nonlocal*32x2.expect.pt"))
    return found[0] if found else None


def answers_from(meta: dict) -> dict[str, str]:
    """Return what the makers of a case say of it, in the loader's words."""
    words = {"softmax": "embedded_gaussian", True: "yes", False: "no"}
    named = {"mode": "function", "instantiation": "function", "use_scale": "scale"}
    answers = {ours: meta[theirs] for theirs, ours in named.items() if theirs in meta}
    if meta.get("nl_type") in ("cgnl", "cgnlx"):
        answers["kernel"] = meta["nl_type"]
    if "model" in meta:
        answers["architecture"] = "fb-org" if str(meta["model"]).endswith("_org") else "fb-new"
    elif "arch" in meta and "cfg" in meta:
        answers["architecture"] = (
            "pyslowfast" if meta["arch"] in ("i3d", "c2d") else "pyslowfast-nopool"
        )
    return {name: words.get(value, value) for name, value in answers.items()}


def load(path: Path, meta: dict) -> tuple[LoadedModel, str]:
    """Load by the file alone; where it leaves a question open, answer from the case's meta."""
    try:
        model = checkpoints.load(path)
    except UndecidedError as open_questions:
        answers = answers_from(meta)
        asked = {q.name: answers.get(q.name, q.choices[0]) for q in open_questions.questions}
        return checkpoints.load(path, asked), f"asked, answered {asked}"
    answers = answers_from(meta)
    assumed = {
        fact.name: answers[fact.name]
        for fact in model.report.facts
        if fact.source in ("the family's code", "the family's default")
        and answers.get(fact.name, fact.value) != fact.value
    }
    if assumed:
        return checkpoints.load(path, assumed), f"answered {assumed}"
    return model, ""


def model_input(model: LoadedModel, expected: dict) -> Tensor:
    """Return the case's input as (B, C, T, H, W)."""
    if "frames_uint8" in expected:
        return (expected["frames_uint8"].float() - BYTE_MEAN) / BYTE_DEVIATION
    x = expected["input"]
    if x.ndim == 4:
        return x.unsqueeze(2)
    frames_first = x.shape[1] != model.spec.preprocessing.channels
    return x.transpose(1, 2) if frames_first else x


def attention_of(expected: dict) -> dict[str, Tensor]:
    """Return the expected attention by block, in network order."""
    listed = {name: value for name, value in expected.items() if re.fullmatch(r"nl_\d", name)}
    return expected.get("attention", {}) | listed


def differences(model: LoadedModel, expected: dict) -> list[Difference]:
    """Compare everything that the case expects."""
    seen = [observe_twice(model.network, one) for one in model_input(model, expected).split(1)]
    ours, exact = (_joined([pair[k] for pair in seen]) for k in (0, 1))
    found = [compare("logits", ours.logits, exact.logits, expected["logits"])]
    wanted = attention_of(expected)
    if len(wanted) not in (0, len(ours.attention)):
        raise ValueError(f"{len(ours.attention)} blocks, {len(wanted)} expected")
    for (name, value), mine, precise in zip(
        wanted.items(), ours.attention, exact.attention, strict=False
    ):
        every = EVERY.search(name)
        step = int(every[1]) if every else 1
        found.append(compare(f"attention {name}", mine[:, ::step], precise[:, ::step], value))
    for name, value in expected.get("taps", {}).items():
        found.append(compare(f"tap {name}", ours.taps[name], exact.taps[name], value))
    return found


def _joined(parts: list[Observed]) -> Observed:
    """Put samples that ran one by one together again."""
    attention = [torch.cat(blocks) for blocks in zip(*(p.attention for p in parts), strict=True)]
    taps = {name: torch.cat([p.taps[name] for p in parts]) for name in parts[0].taps}
    return Observed(torch.cat([p.logits for p in parts]), attention, taps)


def published_maps(path: Path, model: LoadedModel) -> list[Difference]:
    """Compare with maps that the publisher of the weights has put beside them (nl_map_K.npy)."""
    maps, sample = sorted(path.parent.glob("nl_map_*.npy")), path.parent / "sample.png"
    if isinstance(model.spec, ModelSpec) or not maps or not sample.exists():
        return []
    with Image.open(sample) as picture:
        grey = torch.from_numpy(np.asarray(picture.convert("L"), dtype=np.float32) / 255)
    ours, exact = observe_twice(model.network, grey[None, None, None])
    return [
        compare(f"attention {file.name}", mine, precise, torch.from_numpy(np.load(file)))
        for file, mine, precise in zip(maps, ours.attention, exact.attention, strict=True)
    ]


def worst(kind: str, found: list[Difference]) -> str:
    """Return the largest difference of one kind, and what was allowed there; empty for none."""
    chosen = [d for d in found if d.name.startswith(kind)]
    if not chosen:
        return ""
    largest = max(chosen, key=lambda d: d.largest / max(d.allowed, 1e-30))
    return f"{kind} {largest.largest:.1e} of {largest.allowed:.1e}"


def verdict(found: list[Difference]) -> str:
    """Return how a case did: failed, passed exactly, or passed with allowance for rounding."""
    if not all(d.passed for d in found):
        return "FAIL"
    return "ok  " if all(d.exact for d in found) else "ok *"


def summary(found: list[Difference], note: str) -> str:
    """Return the largest difference of each kind, the rounding, and the note."""
    parts = [worst(kind, found) for kind in ("logits", "attention", "tap", "output")]
    if found:
        parts.append(f"rounding {max(d.rounding for d in found):.1e}")
    else:
        parts.append("loaded, nothing to compare")
    return "; ".join(part for part in (*parts, note) if part)


def show(family: str, network: str, found: list[Difference], note: str) -> bool:
    """Print one line, and one for each failure; return whether everything passed."""
    print(f"{verdict(found)} {family:12} {network:58} {summary(found, note)}", flush=True)
    failed = [d for d in found if not d.passed]
    for d in failed:
        print(f"       {d.name}: {d.largest:.3e}, allowed {d.allowed:.3e}")
    return not failed


def _verified_detector(path: Path, expectation: Path) -> bool:
    try:
        faults = detector_faults(path, expectation)
    except AttentionVizError as problem:
        faults = [str(problem)]
    print(f"{'FAIL' if faults else 'ok  '} {path.parent.name:12} {path.name}", flush=True)
    for fault in faults:
        print(f"       {fault}")
    return not faults


def verify(path: Path, expectation: Path | None) -> bool:
    """Load and compare one checkpoint; print its line."""
    expected = torch.load(expectation, weights_only=True) if expectation else {}
    if "detections" in expected:
        return _verified_detector(path, expectation)
    try:
        model, note = load(path, expected.get("meta", {}))
        found = differences(model, expected) if expected else []
        found += published_maps(path, model)
    except (AttentionVizError, ValueError, KeyError) as problem:
        print(f"FAIL {path.parent.name:12} {path.name:58} {problem}", flush=True)
        return False
    return show(path.parent.name, path.name, found, note)


SINGLE = {"blocks.expect.pt": nonlocal_cases, "layers.expect.pt": gate_cases}
"""Files that hold single blocks with their own state dicts."""


def main() -> int:
    """Verify a folder; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with one folder a family")
    folder = parser.parse_args().folder
    passed = [verify(path, expectation) for path, expectation in cases(folder)]
    for name, compared in SINGLE.items():
        for path in sorted(folder.rglob(name)):
            found = compared(path)
            named = [replace(d, name=f"output {d.name}") for d in found]
            passed.append(show(path.parent.name, f"{name} ({len(found)} comparisons)", named, ""))
    print(
        f"{sum(passed)} of {len(passed)} pass. 'ok': every entry within {RELATIVE:g} relative plus "
        f"{OF_LARGEST:g} of the largest. 'ok *': some entry differs more, but by less than "
        f"{ROUNDING:g} times what float32 and float64 of the same network differ by."
    )
    if not passed:
        print(f"{folder} holds no checkpoint; give a folder laid out as FAMILY/NAME.pth")
    return 0 if passed and all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
