"""Published image networks: torchvision's, the CGNL authors', AlexHex7's digits.

Accuracies, links and protocols are those of the publishers' pages.
"""

from models.zoo.published_row import Drive, Published, Url

_RESNET = "He et al. 2016 (ResNet)"
_CGNL = "Yue et al. 2018 (CGNL)"
_WANG = "Wang et al. 2018 (NL)"

_TORCHVISION = {
    # depth: hash, top-1 / top-5, MB; torchvision's newest weights of each
    50: ("11ad3fa6", "80.86 / 95.43", 97.8),
    101: ("cd907fc2", "81.89 / 95.78", 170.5),
    152: ("f82ba261", "82.28 / 96.00", 230.5),
}

TORCHVISION = tuple(
    Published(
        f"imagenet-r{depth}",
        f"ImageNet ResNet-{depth}",
        "torchvision",
        _RESNET,
        "ImageNet",
        accuracy,
        "224 px",
        Url(f"https://download.pytorch.org/models/resnet{depth}-{digest}.pth", digest),
        "imagenet-1k",
        "BSD-3-Clause",
        size_mb=size,
    )
    for depth, (digest, accuracy, size) in _TORCHVISION.items()
)

_CGNL_ROWS = (
    # their ID, our id, title, data, top-1 / top-5, Drive id
    ("1832260500", "r50", "R50", "cub", "86.45 / 97.00", "1nk1y6YE5A-jcuxC5r-hdnU0B5dny8Nf2"),
    ("1832260501", "r50-nl", "R50 + 1 NL", "cub", "86.69 / 96.95",
     "1r15lAheWPHyo4V9aitceyG6h-rEPwzun"),
    ("1832260502", "r50-cgnl", "R50 + 1 CGNL", "cub", "87.06 / 96.91",
     "1XND1fPWCzlYTsfiggiZqYhFREAZ-DVTK"),
    ("1832260503x", "r50-cgnlx", "R50 + 1 CGNLx", "cub", "86.56 / 96.63",
     "1grkSRJfojIECZs85abvfelnxnVleSLlJ"),
    ("1832261010", "r101", "R101", "cub", "86.76 / 96.91", "1mZPz9E3eEwmusEBD-zpjrL6IceM8kxOq"),
    ("1832261011", "r101-nl", "R101 + 1 NL", "cub", "87.04 / 97.01",
     "1eYKqnFxSVfCM_5qeTeiEG69PteaQZ3DT"),
    ("1832261012", "r101-cgnl", "R101 + 1 CGNL", "cub", "87.28 / 97.20",
     "1oiRzne2nhS4aUwLWr3DzS7ke3D6HYMZ2"),
    ("1832261013x", "r101-cgnlx", "R101 + 1 CGNLx", "cub", "87.18 / 97.03",
     "1AZPZk4IvmsbT6jcm0An_V249IbGK8ml6"),
    ("1832261502", "r50-cgnl", "R50 + 1 CGNL", "imagenet", "77.69 / 93.63",
     "1ezE6_tblZdoFZTYw24NJIaP_A5E0xduS"),
    ("1832261503", "r50-cgnlx", "R50 + 1 CGNLx", "imagenet", "77.32 / 93.40",
     "1HSqYZvL8EOiQO47dqasZTVpufLjwtg0-"),
    ("1832261522", "r152-cgnl", "R152 + 1 CGNL", "imagenet", "79.53 / 94.52",
     "1UKfwi3_Egj_pxFDcCV4sdQjFrb5dyDH2"),
    ("1832261523", "r152-cgnlx", "R152 + 1 CGNLx", "imagenet", "79.37 / 94.47",
     "14XsJta6FevDDvZG9evKAXeXj6dKG-lZJ"),
)  # fmt: skip

_DATA = {
    "cub": ("CUB-200-2011", "448 px", "cub-200",
            "The authors do not say how classes are numbered; folder order is assumed."),
    "imagenet": ("ImageNet", "224 px", "imagenet-1k", ""),
}  # fmt: skip


def _cgnl(number: str, name: str, title: str, data: str, accuracy: str, drive: str) -> Published:
    kernel = name.partition("-")[2]
    answers = {"kernel": kernel} if kernel.startswith("cgnl") else {}
    dataset, size, classes, caution = _DATA[data]
    return Published(
        f"cgnl-{data}-{name}",
        f"{title} ({number})",
        "CGNL authors",
        _CGNL,
        dataset,
        accuracy,
        size,
        Drive(drive, f"{number}-{data}-{name}.pth.tar"),
        classes,
        "MIT",
        answers,
        caution=caution,
    )


CGNL = tuple(_cgnl(*row) for row in _CGNL_ROWS)

DIGITS = (
    Published(
        "mnist-nl",
        "Digit network with two NL blocks",
        "Non-local_pytorch (AlexHex7)",
        _WANG,
        "MNIST",
        "not stated",
        "28 px, grey",
        Url(
            "https://raw.githubusercontent.com/AlexHex7/Non-local_pytorch/master/weights/net.pth",
            "8fd8edec223bd3ae",
        ),
        "digits",
        "Apache-2.0",
        {"function": "embedded_gaussian", "scale": "no"},
        1.6,
    ),
)

IMAGES = (*TORCHVISION, *CGNL, *DIGITS)
