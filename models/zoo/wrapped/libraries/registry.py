"""The libraries whose networks load by name: a row is a module of this folder."""

import importlib
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType

from models.loaded import LoadedModel
from models.zoo.wrapped.libraries.names import LIBRARIES, is_library_name, parse
from models.zoo.wrapped.wrap import NO_ANSWERS, Origin, wrapped

_STARTING_POINTS = (
    ("timm:vit_small_patch14_dinov2.lvd142m", "DINOv2, small, 37 x 37 patches"),
    ("timm:vit_small_patch14_reg4_dinov2.lvd142m", "DINOv2 with registers, small"),
    ("timm:vit_small_patch16_dinov3.lvd1689m", "DINOv3, small"),
    ("timm:vit_small_patch16_224.dino", "DINO, small"),
    ("timm:vit_base_patch16_clip_224.openai", "CLIP, base"),
    ("timm:vit_base_patch16_siglip_224.webli", "SigLIP, base"),
    ("timm:samvit_base_patch16.sa1b", "SAM's encoder, base: windows and whole pictures"),
    ("timm:vit_small_patch16_224.augreg_in21k_ft_in1k", "ViT, small, ImageNet classes"),
    ("timm:swin_tiny_patch4_window7_224.ms_in1k", "Swin, tiny: windows, shifted"),
    ("timm:mvitv2_tiny.fb_in1k", "MViTv2, tiny: pooled keys"),
    ("timm:botnet26t_256.c1_in1k", "BoTNet: attention on a ResNet"),
    ("timm:halonet26t.a1h_in1k", "HaloNet: blocks with halos"),
    ("torchvision:vit_b_16", "ViT, base, ImageNet classes"),
    ("torchvision:mvit_v2_s", "MViTv2 on clips, Kinetics classes"),
    ("torchvision:swin3d_t", "Video Swin, tiny, Kinetics classes"),
    ("hf:MCG-NJU/videomae-base-finetuned-kinetics", "VideoMAE on clips, Kinetics classes"),
)  # fmt: skip
STARTING_POINTS: Mapping[str, str] = dict(_STARTING_POINTS)
"""Good networks to begin with, and what they are."""


def load(name: str, answers: Mapping[str, str] = NO_ANSWERS, download: bool = True) -> LoadedModel:
    """Return a network of a library by its name, timm:NAME, torchvision:NAME or hf:ORG/NAME.

    Weights are downloaded on first use, into the library's own cache; ``?pretrained=no`` gives
    random ones, always the same, and ``?weights=PATH`` those of a file. ``answers`` as in ``wrap``.
    Without ``download`` only weights on this machine load.
    """
    wanted = replace(parse(name), download=download)
    found = _library(wanted.library).parts(wanted)
    origin = Origin(name, found.architecture, found.source)
    module = found.module.eval()
    return wrapped(module, origin, found.preprocessing, found.classes, found.layout, answers)


def search(words: str, most: int = 40) -> list[str]:
    """Return names of timm and torchvision that hold every word, at most ``most`` of each."""
    return [
        f"{library}:{name}"
        for library in ("timm", "torchvision")
        for name in _library(library).search(words)[:most]
    ]


def _library(library: str) -> ModuleType:
    """Return the module of a library, imported when it is first asked for."""
    return importlib.import_module(f"models.zoo.wrapped.libraries.{library}_networks")


__all__ = ["LIBRARIES", "STARTING_POINTS", "is_library_name", "load", "search"]
