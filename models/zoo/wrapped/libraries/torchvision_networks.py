"""Classifiers of pictures and clips of torchvision, with the preprocessing of their weights."""

import torchvision
from torchvision import models
from torchvision.models import Weights

from models.specs.network import Preprocessing
from models.zoo.wrapped.libraries.names import LibraryName, unknown
from models.zoo.wrapped.libraries.parts import Parts
from models.zoo.wrapped.libraries.weights import check_here, downloading, fill_from, random_weights

HOST = "download.pytorch.org"
_FRAMES = 16
"""Frames of a clip where the weights do not say more."""


def search(words: str) -> list[str]:
    """Return the names of torchvision that hold every word."""
    return [name for name in _known() if all(part in name for part in words.lower().split())]


def _known() -> list[str]:
    return models.list_models(module=models) + models.list_models(module=models.video)


def parts(wanted: LibraryName) -> Parts:
    """Return a network of torchvision; OutsideError for a name that there is not, MachineError
    where its weights cannot be had."""
    if wanted.name not in _known():
        raise unknown("torchvision", wanted.name, _known())
    weights = models.get_model_weights(wanted.name).DEFAULT
    if wanted.pretrained:
        with downloading(wanted, HOST):
            check_here(wanted, weights.url)
            module = models.get_model(wanted.name, weights=weights)
    else:
        with random_weights():
            module = models.get_model(wanted.name)
    if wanted.weights:
        fill_from(module, wanted.weights)
    names = tuple(weights.meta["categories"])
    clips = wanted.name in models.list_models(module=models.video)
    return Parts(
        module, type(module).__name__, f"torchvision {torchvision.__version__}",
        _preprocessing(weights, clips), names if wanted.pretrained else len(names),
        "BCTHW" if clips else "BCHW",
    )  # fmt: skip


def _preprocessing(weights: Weights, clips: bool) -> Preprocessing:
    how = weights.transforms()
    size = how.crop_size[-1]
    frames = max(_FRAMES, weights.meta.get("min_temporal_size", 1)) if clips else 1
    bicubic = how.interpolation.value == "bicubic"
    return Preprocessing(
        size=size,
        resize=max(size, how.resize_size[-1]),
        mean=tuple(how.mean),
        std=tuple(how.std),
        stride=1,
        frames=frames,
        frame_stride=4 if clips else 1,
        fixed=True,
        interpolation="bicubic" if bicubic else "bilinear",
    )
