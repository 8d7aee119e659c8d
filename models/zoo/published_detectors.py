"""Published detectors: torchvision's, maskrcnn-benchmark's, mmdetection's, the CGNL
authors'.

Average precisions, links and protocols are those of the publishers' pages; ``accuracy`` of a row is
AP of boxes / AP of masks or key points on COCO, in percent.
"""

from models.zoo.published_row import Drive, Published, Url

_MASK = "He et al. 2017 (Mask R-CNN)"
_FASTER = "Ren et al. 2015 (Faster R-CNN)"
_SSD = "Liu et al. 2016 (SSD)"
_LARGE = "800 px, at most 1344"
NO_EPSILON = {"epsilon": "0"}
"""torchvision runs its own COCO weights so; weights of its second recipe have batch norms."""

_TORCHVISION = (
    # our id, title, paper, file, AP, MB, answers
    ("fasterrcnn-r50-fpn", "Faster R-CNN R50-FPN", _FASTER,
     "fasterrcnn_resnet50_fpn_coco-258fb6c6", "37.0 / not stated", 159.7, NO_EPSILON),
    ("fasterrcnn-r50-fpn-v2", "Faster R-CNN R50-FPN, second recipe", _FASTER,
     "fasterrcnn_resnet50_fpn_v2_coco-dd69338a", "46.7 / not stated", 167.1, {}),
    ("maskrcnn-r50-fpn", "Mask R-CNN R50-FPN", _MASK,
     "maskrcnn_resnet50_fpn_coco-bf2d0c1e", "37.9 / 34.6", 169.8, NO_EPSILON),
    ("maskrcnn-r50-fpn-v2", "Mask R-CNN R50-FPN, second recipe", _MASK,
     "maskrcnn_resnet50_fpn_v2_coco-73cbd019", "47.4 / 41.8", 177.2, {}),
    ("keypointrcnn-r50-fpn", "Keypoint R-CNN R50-FPN", _MASK,
     "keypointrcnn_resnet50_fpn_coco-fc266e95", "54.6 / 65.0", 226.1, NO_EPSILON),
    ("keypointrcnn-r50-fpn-legacy", "Keypoint R-CNN R50-FPN, earlier weights", _MASK,
     "keypointrcnn_resnet50_fpn_coco-9f466800", "50.6 / 61.1", 226.1, {"epsilon": "1e-5"}),
    ("ssd300-vgg16", "SSD300 VGG-16", _SSD,
     "ssd300_vgg16_coco-b556d3b4", "25.1 / not stated", 136.0, {}),
    ("ssdlite320-mobilenet-v3", "SSDlite MobileNetV3", _SSD,
     "ssdlite320_mobilenet_v3_large_coco-a79551df", "21.3 / not stated", 13.4, {}),
)  # fmt: skip
_SIZES = {"ssd300-vgg16": "300 px", "ssdlite320-mobilenet-v3": "320 px"}


def _torchvision(
    name: str, title: str, paper: str, file: str, precision: str, size: float, answers: dict
) -> Published:
    return Published(
        f"tv-{name}",
        title,
        "torchvision",
        paper,
        "COCO AP",
        precision,
        _SIZES.get(name, _LARGE),
        Url(f"https://download.pytorch.org/models/{file}.pth", file[-8:]),
        "coco-person" if "keypoint" in name else "coco-91",
        "BSD-3-Clause",
        answers,
        size,
    )


def _cgnl(name: str, title: str, precision: str, drive: str) -> Published:
    return Published(
        f"cgnl-coco-r50-c4-{name}",
        title,
        "CGNL authors",
        "Yue et al. 2018 (CGNL)",
        "COCO AP",
        precision,
        _LARGE,
        Drive(drive, f"mask_rcnn_R_50_C4_{name}.pth"),
        "coco-81",
        "MIT",
        {"kernel": name},
    )


_BENCHMARK = "https://download.pytorch.org/models/maskrcnn/"
_BENCHMARK_ROWS = (
    # kind, trunk in the file's name, AP
    ("faster", "R_50_C4", "34.8 / not stated"),
    ("faster", "R_50_FPN", "36.8 / not stated"),
    ("faster", "R_101_FPN", "39.1 / not stated"),
    ("faster", "X_101_32x8d_FPN", "41.2 / not stated"),
    ("mask", "R_50_C4", "35.6 / 31.5"),
    ("mask", "R_50_FPN", "37.8 / 34.2"),
    ("mask", "R_101_FPN", "40.1 / 36.1"),
    ("mask", "X_101_32x8d_FPN", "42.2 / 37.8"),
)
"""maskrcnn-benchmark's model zoo; the mask R-CNN on R_50_C4 is the CGNL authors' baseline."""


def _benchmark(kind: str, trunk: str, precision: str) -> Published:
    short = trunk.lower().replace("r_", "r").replace("x_", "x").replace("_", "-")
    return Published(
        f"benchmark-{kind}rcnn-{short}",
        f"{kind.capitalize()} R-CNN {trunk.replace('_', '-')}",
        "maskrcnn-benchmark",
        {"faster": _FASTER, "mask": _MASK}[kind],
        "COCO AP",
        precision,
        _LARGE,
        Url(f"{_BENCHMARK}e2e_{kind}_rcnn_{trunk}_1x.pth"),
        "coco-81",
        "MIT",
    )


_LIBRA = "https://download.openmmlab.com/mmdetection/v2.0/libra_rcnn/"


def _libra(trunk: str, precision: str, digest: str) -> Published:
    name = f"libra_faster_rcnn_{trunk}_fpn_1x_coco"
    return Published(
        f"mmdet-libra-{trunk.replace('_', '-')}",
        f"Libra R-CNN {trunk.replace('_', '-').upper()}-FPN + 1 NL in the pyramid",
        "mmdetection",
        "Pang et al. 2019 (Libra R-CNN)",
        "COCO AP",
        f"{precision} / not stated",
        _LARGE,
        Url(f"{_LIBRA}{name}/{name}_{digest}.pth", digest[-8:]),
        "coco-81",
        "Apache-2.0",
        {"style": "pytorch"},
    )


_GCNET = "https://download.openmmlab.com/mmdetection/v2.0/gcnet/"
_GCNET_ROWS = (
    # trunk in the file's name ("syncbn": batch norms trained, over all GPUs), ratio, AP, file's end
    ("r50_fpn", 16, "39.7 / 35.9", "20200515_211915-187da160"),
    ("r50_fpn", 4, "39.9 / 36.0", "20200204-17235656"),
    ("r101_fpn", 16, "41.3 / 37.2", "20200205-e58ae947"),
    ("r101_fpn", 4, "42.2 / 37.8", "20200206-af22dc9d"),
    ("r50_fpn_syncbn-backbone", 16, "40.4 / 36.2", "20200202-587b99aa"),
    ("r50_fpn_syncbn-backbone", 4, "40.7 / 36.5", "20200202-50b90e5c"),
    ("r101_fpn_syncbn-backbone", 16, "42.2 / 37.8", "20200207-945e77ca"),
    ("r101_fpn_syncbn-backbone", 4, "42.2 / 37.8", "20200206-8407a3f0"),
    ("x101_32x4d_fpn_syncbn-backbone", 16, "43.5 / 38.6", "20200211-cbed3d2c"),
    ("x101_32x4d_fpn_syncbn-backbone", 4, "43.9 / 39.0", "20200212-68164964"),
)


def _gcnet(trunk: str, ratio: int, precision: str, digest: str) -> Published:
    name = f"mask_rcnn_{trunk}_r{ratio}_gcb_c3-c5_1x_coco"
    short = trunk.replace("_fpn", "").replace("-backbone", "").replace("_", "-")
    size, _, norm = trunk.partition("_fpn")
    trained = ", batch norms trained" if norm else ""
    return Published(
        f"mmdet-gcnet-{short}-r{ratio}",
        f"Mask R-CNN {size.replace('_', '-').upper()}-FPN + GC in res3 to res5, 1/{ratio}{trained}",
        "mmdetection",
        "Cao et al. 2019 (GCNet)",
        "COCO AP",
        precision,
        _LARGE,
        Url(f"{_GCNET}{name}/{name}_{digest}.pth", digest[-8:]),
        "coco-81",
        "Apache-2.0",
        {"style": "pytorch"},
    )


DETECTORS = (
    *(_torchvision(*row) for row in _TORCHVISION),
    _libra("r50", "38.3", "20200130-3afee3a9"),
    _libra("r101", "40.1", "20200203-8dba6a5a"),
    _libra("x101_64x4d", "42.7", "20200315-3a7d0488"),
    *(_gcnet(*row) for row in _GCNET_ROWS),
    *(_benchmark(*row) for row in _BENCHMARK_ROWS),
    _cgnl("cgnl", "Mask R-CNN R50-C4 + 1 CGNL", "36.3 / 32.1", "1n1hVs2r0FIbsiZyQAQkwxGYtYhpq5RjH"),
    _cgnl(
        "cgnlx", "Mask R-CNN R50-C4 + 1 CGNLx", "36.2 / 31.9", "1oiSCFd7N_ULpexIYfE5uZ53q5ytmhKbj"
    ),
)

WITH_BLOCK = tuple(row for row in DETECTORS if "rcnn-r50-fpn" in row.id)
"""Detectors with a pyramid, which the catalogue also offers with an NL block in res4."""
