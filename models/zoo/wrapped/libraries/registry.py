"""The libraries whose networks load by name: a row is a module of this folder."""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

from models.loaded import LoadedModel
from models.zoo.wrapped.libraries.names import LIBRARIES, is_library_name, parse
from models.zoo.wrapped.libraries.parts import Parts
from models.zoo.wrapped.libraries.starting_points import STARTING_POINTS
from models.zoo.wrapped.wrap import NO_ANSWERS, Origin, wrapped


def load(name: str, answers: Mapping[str, str] = NO_ANSWERS, download: bool = True) -> LoadedModel:
    """Return a network of a library by its name, timm:NAME, torchvision:NAME or hf:ORG/NAME.

    Weights are downloaded on first use, into the library's own cache; ``?pretrained=no`` gives
    random ones, always the same, and ``?weights=PATH`` those of a file. ``answers`` as in ``wrap``.
    Without ``download`` only weights on this machine load.
    """
    found = parts_of(name, download)
    origin = Origin(name, found.architecture, found.source)
    module = found.module.eval()
    return wrapped(module, origin, found.preprocessing, found.classes, found.layout, answers)


def parts_of(name: str, download: bool = True) -> Parts:
    """Return what a library gives for a name, with its weights."""
    wanted = replace(parse(name), download=download)
    return _library(wanted.library).parts(wanted)


def search(words: str, most: int = 40) -> list[str]:
    """Return names of timm and torchvision that hold every word, at most ``most`` of each."""
    return [
        f"{library}:{name}"
        for library in ("timm", "torchvision")
        for name in _library(library).search(words)[:most]
    ]


def search_hub(words: str, most: int = 20) -> list[str]:
    """Return names of the Hugging Face hub that its own search finds for words, networks of
    pictures and clips alone; MachineError where the hub is not reached or transformers missing."""
    return [f"hf:{name}" for name in _library("hf").search(words, most)]


def _library(library: str) -> ModuleType:
    """Return the module of a library, imported when it is first asked for."""
    return importlib.import_module(f"models.zoo.wrapped.libraries.{library}_networks")


__all__ = ["LIBRARIES", "STARTING_POINTS", "is_library_name", "load", "search", "search_hub"]
