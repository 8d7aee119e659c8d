"""Networks of timm, with the preprocessing and class names that their weights were trained with."""

import timm
import timm.data
from torch import nn

from errors import InputError
from models.specs.network import Preprocessing
from models.zoo.wrapped.libraries.names import LibraryName, unknown
from models.zoo.wrapped.libraries.parts import Parts
from models.zoo.wrapped.libraries.weights import downloading, fill_from, random_weights

HOST = "huggingface.co"


def search(words: str) -> list[str]:
    """Return the names of timm that hold every word, those with weights first."""
    parts = words.lower().split()
    with_weights = set(timm.list_models(pretrained=True))
    every = [*sorted(with_weights), *(n for n in timm.list_models() if n not in with_weights)]
    return [name for name in every if all(part in name for part in parts)]


def parts(wanted: LibraryName) -> Parts:
    """Return a network of timm; OutsideError for a name that there is not, MachineError where its
    weights cannot be had."""
    if not timm.is_model(wanted.name):
        raise unknown("timm", wanted.name, timm.list_models())
    if wanted.pretrained and not timm.models.is_model_pretrained(wanted.name):
        raise InputError(
            f"timm has no weights of {wanted.name}; use timm:{wanted.name}?pretrained=no for "
            "random ones."
        )
    if wanted.pretrained:
        with downloading(wanted, HOST):
            module = _made(wanted.name, pretrained=True)
    else:
        with random_weights():
            module = _made(wanted.name, pretrained=False)
    if wanted.weights:
        fill_from(module, wanted.weights)
    known = wanted.pretrained
    return Parts(
        module, type(module).__name__, f"timm {timm.__version__}", _preprocessing(module),
        _classes(module) if known else getattr(module, "num_classes", 0),
    )  # fmt: skip


def _made(name: str, pretrained: bool) -> nn.Module:
    """Return a network that takes pictures of any shape, where it can."""
    try:
        return timm.create_model(name, pretrained=pretrained, dynamic_img_size=True)
    except TypeError:
        return timm.create_model(name, pretrained=pretrained)


def _preprocessing(module: nn.Module) -> Preprocessing:
    config = timm.data.resolve_model_data_config(module)
    size = config["input_size"][-1]
    patches = getattr(module, "patch_embed", None)
    free = bool(
        getattr(patches, "dynamic_img_pad", False) or getattr(module, "dynamic_img_size", 0)
    )
    stride = patches.patch_size[0] if free else 1
    return Preprocessing(
        size=size,
        resize=max(size, round(size / config["crop_pct"])),
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        stride=stride,
        fixed=not free,
        interpolation="bicubic" if config["interpolation"] == "bicubic" else "bilinear",
    )


def _classes(module: nn.Module) -> tuple[str, ...] | int:
    """Return the names of ImageNet's classes, where the weights are of it, else their number."""
    count = getattr(module, "num_classes", 0)
    subset = timm.data.infer_imagenet_subset(module) if count else None
    if subset is None:
        return count
    names = timm.data.ImageNetInfo(subset)
    if names.num_classes() != count:
        return count
    return tuple(names.index_to_description(k).split(",")[0] for k in range(count))
