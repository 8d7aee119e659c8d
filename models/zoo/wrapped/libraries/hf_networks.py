"""Networks of the Hugging Face hub or of a folder, by transformers, which is an optional extra.

No code of a repository is ever run, and only safetensors are read.
"""

import importlib
import os.path
from types import ModuleType
from typing import Any

from errors import InputError, MachineError
from models.specs.network import IMAGENET_MEAN, IMAGENET_STD, Preprocessing
from models.zoo.wrapped.libraries.names import LibraryName
from models.zoo.wrapped.libraries.parts import Parts
from models.zoo.wrapped.libraries.weights import (
    downloading,
    fill_from,
    random_weights,
    reaches,
)

HOST = "huggingface.co"
_BICUBIC = 3
_TASKS = ("image-feature-extraction", "image-classification", "video-classification")


def parts(wanted: LibraryName) -> Parts:
    """Return a network of the hub (ORG/NAME) or of a folder; MachineError where transformers is
    missing or it cannot be had, InputError where it takes no pictures."""
    transformers = _transformers()
    here = os.path.isdir(wanted.name)  # noqa: PTH112 (never raises)
    how = {"trust_remote_code": False, "local_files_only": here}
    with downloading(wanted, HOST):
        config = transformers.AutoConfig.from_pretrained(wanted.name, **how)
        maker = _maker(transformers, config)
        if wanted.pretrained:
            module = maker.from_pretrained(wanted.name, use_safetensors=True, **how)
        else:
            with random_weights():
                module = maker.from_config(config)
        prep = _preprocessing(transformers, wanted.name, _vision(config), how)
    if wanted.weights:
        fill_from(module, wanted.weights)
    module = getattr(module, "vision_model", module)
    return Parts(
        module, type(module).__name__, f"transformers {transformers.__version__}", prep,
        _classes(config, wanted.pretrained), "BTCHW" if prep.frames > 1 else "BCHW",
    )  # fmt: skip


def search(words: str, most: int) -> list[str]:
    """Return the names that the hub's own search finds for words, networks of pictures and clips
    alone, most downloaded first; MachineError where it is not reached, or transformers is missing.
    """
    _transformers()
    from huggingface_hub import HfApi  # with the library that needs it

    found: dict[str, int] = {}
    try:
        if not reaches(HOST):
            raise OSError("no connection")
        for task in _TASKS:
            every = HfApi().list_models(search=words, filter=task, sort="downloads", limit=most)
            found |= {one.id: one.downloads or 0 for one in every}
    except Exception as problem:  # of the hub's client, which has errors of several libraries
        raise MachineError(
            f"{HOST} is not reached from here, so that the hub cannot be searched; names of timm "
            "and torchvision are. Connect to the internet, or write the whole name, hf:ORG/NAME."
        ) from problem
    return sorted(found, key=found.__getitem__, reverse=True)[:most]


def _transformers() -> ModuleType:
    try:
        return importlib.import_module("transformers")
    except ImportError as problem:
        raise MachineError(
            "Networks of the Hugging Face hub need the package transformers, which is not "
            "installed; run pip install transformers."
        ) from problem


def _vision(config: Any) -> Any:  # noqa: ANN401 (a class of transformers)
    return getattr(config, "vision_config", config)


def _maker(transformers: ModuleType, config: Any) -> Any:  # noqa: ANN401
    """Return the class that makes a network: a classifier where the repository has one."""
    made = " ".join(getattr(config, "architectures", None) or ())
    if not hasattr(_vision(config), "image_size") and not hasattr(_vision(config), "patch_sizes"):
        raise InputError(
            f"A network of the kind {config.model_type} takes no pictures; choose one of pictures "
            "or clips, such as hf:facebook/dinov2-small."
        )
    if "ForImageClassification" in made:
        return transformers.AutoModelForImageClassification
    if "ForVideoClassification" in made:
        return transformers.AutoModelForVideoClassification
    return transformers.AutoModel


def _classes(config: Any, known: bool) -> tuple[str, ...] | int:  # noqa: ANN401
    made = " ".join(getattr(config, "architectures", None) or ())
    if "Classification" not in made:
        return 0
    names = tuple(config.id2label[k] for k in sorted(config.id2label))
    named = known and not all(name.startswith("LABEL_") for name in names)
    return names if named else len(names)


def _preprocessing(
    transformers: ModuleType,
    name: str,
    config: Any,  # noqa: ANN401
    how: dict[str, Any],
) -> Preprocessing:
    """Return the preprocessing that the repository states, or ImageNet's at the network's size."""
    size = getattr(config, "image_size", 224)
    size = size[0] if isinstance(size, list | tuple) else size
    frames = getattr(config, "num_frames", 1)
    try:
        found = transformers.AutoImageProcessor.from_pretrained(name, **how).to_dict()
    except (OSError, ValueError):
        found = {}
    whole = found.get("size") or {}
    short = whole.get("shortest_edge") or whole.get("height") or size
    return Preprocessing(
        size=size,
        resize=max(size, short),
        mean=tuple(found.get("image_mean") or IMAGENET_MEAN),
        std=tuple(found.get("image_std") or IMAGENET_STD),
        stride=1,
        frames=frames,
        frame_stride=4 if frames > 1 else 1,
        fixed=True,
        interpolation="bicubic" if found.get("resample") == _BICUBIC else "bilinear",
    )
