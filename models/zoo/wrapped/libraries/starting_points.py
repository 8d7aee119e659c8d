"""Good networks of libraries to begin with, and what attends in them."""

import json
from collections.abc import Mapping
from pathlib import Path

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

_ATTENDS = Path(__file__).with_name("starting_points.json")


def attends() -> Mapping[str, Mapping[str, str]]:
    """Return what attends in them by name, as ``words.summary`` says it; printed by
    ``python -m scripts.starting_points``."""
    return json.loads(_ATTENDS.read_text(encoding="utf-8"))
