"""Networks of timm, torchvision and transformers with random weights, as small as they go."""

from collections.abc import Callable
from functools import cache

import timm
import torch
import torchvision
import transformers
from torch import nn
from torchvision.models.maxvit import MaxVit
from torchvision.models.video.mvit import MSBlockConfig, MViT

_VIT = {"img_size": 64, "embed_dim": 48, "depth": 2, "num_heads": 3}
_HF = {
    "hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 64,
    "image_size": 64, "patch_size": 16,
}  # fmt: skip


def _timm(name: str, **how: object) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, num_classes=7, **how)


def _torchvision(name: str, **how: object) -> Callable[[], nn.Module]:
    return lambda: torchvision.models.get_model(name, num_classes=7, **how)


def _hf(name: str, **how: object) -> Callable[[], nn.Module]:
    def make() -> nn.Module:
        own = {} if name in ("Swin", "Segformer") else _HF
        config = getattr(transformers, f"{name}Config")(**{**own, **how})
        model = {"CLIPVision": "CLIPVisionModel", "SiglipVision": "SiglipVisionModel"}
        return getattr(transformers, model.get(name, f"{name}Model"))(config)

    return make


PICTURES: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "vit": (_timm("vit_tiny_patch16_224", **_VIT), 64),
    "deit, distilled": (_timm("deit_tiny_distilled_patch16_224", **_VIT), 64),
    "dinov2": (_timm("vit_small_patch14_reg4_dinov2", **_VIT | {"img_size": 70}), 70),
    "dinov3": (_timm("vit_small_patch16_dinov3", **_VIT), 64),
    "siglip": (_timm("vit_base_patch16_siglip_224", **_VIT), 64),
    "clip": (_timm("vit_base_patch16_clip_224", **_VIT), 64),
    "beit": (_timm("beit_base_patch16_224", **_VIT), 64),
    "eva02": (_timm("eva02_tiny_patch14_224", **_VIT | {"img_size": 70}), 70),
    "sam": (_timm("samvit_base_patch16", **_VIT | {"img_size": 112, "window_size": 4}), 112),
    "relative positions": (_timm("vit_relpos_small_patch16_224", **_VIT), 64),
    "cait": (_timm("cait_xxs24_224", **_VIT), 64),
    "convit": (_timm("convit_tiny", **_VIT, local_up_to_layer=1), 64),
    "visformer": (_timm("visformer_tiny", img_size=64), 64),
    "pit": (_timm("pit_ti_224", img_size=64), 64),
    "levit": (_timm("levit_128s", img_size=128), 128),
    "swin": (_timm("swin_tiny_patch4_window7_224", img_size=64, window_size=4, embed_dim=24,
                   depths=(2, 2), num_heads=(2, 4)), 64),
    "swin v2": (_timm("swinv2_tiny_window8_256", img_size=64, window_size=4, embed_dim=24,
                      depths=(2, 2), num_heads=(2, 4)), 64),
    "mvit v2": (_timm("mvitv2_tiny", img_size=64), 64),
    "pvt v2": (_timm("pvt_v2_b0"), 64),
    "twins": (_timm("twins_svt_small", img_size=64), 64),
    "maxvit": (_timm("maxvit_tiny_tf_224", img_size=64), 64),
    "coatnet": (_timm("coatnet_nano_rw_224", img_size=64), 64),
    "botnet": (_timm("botnet26t_256"), 256),
    "halonet": (_timm("halonet26t"), 256),
    "crossvit": (_timm("crossvit_tiny_240"), 240),
    "global context": (_timm("gcresnet50t"), 64),
    "torchvision vit": (_torchvision("vit_b_32", image_size=64), 64),
    "torchvision swin": (_torchvision("swin_t"), 72),
    "torchvision swin v2": (_torchvision("swin_v2_t"), 72),
    "torchvision maxvit": (
        lambda: MaxVit((64, 64), 24, 4, [24, 32], [1, 1], 8, 0.0, num_classes=7), 64,
    ),
    "hf vit": (_hf("ViT"), 64),
    "hf deit": (_hf("DeiT"), 64),
    "hf dinov2 with registers": (_hf("Dinov2WithRegisters"), 64),
    "hf dinov3": (_hf("DINOv3ViT", num_register_tokens=4), 64),
    "hf clip": (_hf("CLIPVision"), 64),
    "hf siglip": (_hf("SiglipVision"), 64),
    "hf beit": (_hf("Beit", use_relative_position_bias=True), 64),
    "hf swin": (_hf("Swin", image_size=64, patch_size=4, embed_dim=24, depths=[2, 2],
                    num_heads=[2, 4], window_size=4), 64),
    "hf segformer": (_hf("Segformer", depths=[1, 1, 1, 1], hidden_sizes=[16, 32, 48, 64]), 64),
}  # fmt: skip
"""What makes a network of pictures, and the side of its input in pixels."""

CLIPS: dict[str, tuple[Callable[[], nn.Module], str, tuple[int, int, int]]] = {
    "torchvision mvit": (
        lambda: MViT((64, 64), 8, [
            MSBlockConfig(1, 24, 48, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 4, 4]),
            MSBlockConfig(2, 48, 48, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 2, 2]),
        ], True, True, True, 0.0, 0.0, 0.0, num_classes=7),
        "BCTHW", (8, 64, 64),
    ),
    "torchvision swin 3d": (
        lambda: torchvision.models.video.swin_transformer.SwinTransformer3d(
            [2, 4, 4], 24, [2, 2], [2, 4], [2, 4, 4], num_classes=7
        ),
        "BCTHW", (8, 64, 64),
    ),
    "hf videomae": (_hf("VideoMAE", num_frames=4), "BTCHW", (4, 64, 64)),
    "hf vivit": (_hf("Vivit", num_frames=4, tubelet_size=[2, 16, 16]), "BTCHW", (4, 64, 64)),
}  # fmt: skip
"""What makes a network of clips, how it takes them, and (frames, rows, columns) of its input."""


@cache
def picture_network(name: str) -> nn.Module:
    """Return one of PICTURES, always with the same weights, in eval mode."""
    return _seeded(PICTURES[name][0])


@cache
def clip_network(name: str) -> nn.Module:
    """Return one of CLIPS, always with the same weights, in eval mode."""
    return _seeded(CLIPS[name][0])


def _seeded(make: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(19)
        module = make()
        for parameter in module.parameters():
            if parameter.ndim > 1:  # so that rows are not flat
                nn.init.normal_(parameter, 0, (2 / parameter[0].numel()) ** 0.5)
    return module.eval()
