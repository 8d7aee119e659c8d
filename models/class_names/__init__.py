"""Names of the classes that published networks distinguish, in the order of their outputs.

Facts, taken from their publishers: kinetics-400 from process_data/kinetics/classids.json of
facebookresearch/video-nonlocal-net, which agrees with the label map of mmaction2's Kinetics-400
demonstration (both alphabetical); cub-200 from the folder names of CUB-200-2011 in the order of
their numbers; imagenet-1k and coco-91 from torchvision's weights, asked at run time. A detector's
label 0 is the background; coco-91 are COCO's own numbers, eleven of which name nothing, coco-81 the
80 that do, in their order, coco-person the two of key point detectors. ava-81 are the 80 actions of
AVA 2.1 by their numbers, behind 0, which names nothing.
"""

from functools import cache
from pathlib import Path

from errors import InputError, counted

_FOLDER = Path(__file__).parent
_FILES = ("kinetics-400", "cub-200", "digits", "ava-81")
_TORCHVISION = {
    "imagenet-1k": "resnet50",
    "coco-91": "fasterrcnn_resnet50_fpn",
    "coco-81": "fasterrcnn_resnet50_fpn",
    "coco-person": "keypointrcnn_resnet50_fpn",
}
NAMES = (*_FILES, *_TORCHVISION)
MAX_BYTES = 2**22
"""Size of a list of names that is read."""


@cache
def class_names(name: str) -> tuple[str, ...]:
    """Return the class names called ``name`` (a member of NAMES), by output index."""
    if name in _FILES:
        text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
        return tuple(text.splitlines())
    if name not in _TORCHVISION:
        raise ValueError(f"class names {name!r}; known are {', '.join(NAMES)}")
    import torchvision  # imported late: it takes as long as everything else together

    weights = torchvision.models.get_model_weights(_TORCHVISION[name]).DEFAULT
    listed = tuple(weights.meta["categories"])
    return tuple(one for one in listed if one != "N/A") if name == "coco-81" else listed


def read_names(content: bytes, name: str) -> tuple[str, ...]:
    """Return the class names of a text file, one a line; InputError for what is no such text."""
    if len(content) > MAX_BYTES:
        raise InputError(f"{name} is too large for a list of class names; give one name a line.")
    try:
        lines = content.decode("utf-8-sig").strip().splitlines()
    except UnicodeDecodeError as problem:
        raise InputError(
            f"{name} is not UTF-8 text; give a text file with one class name a line."
        ) from problem
    return tuple(" ".join("".join(c if c.isprintable() else " " for c in n).split()) for n in lines)


def check_count(names: tuple[str, ...], count: int, network: str) -> None:
    """Refuse a list of names that is not as long as a network has classes."""
    if len(names) != count:
        raise InputError(
            f"The list has {counted(len(names), 'name')}, and {network} tells "
            f"{counted(count, 'class')} apart; give one name a line, in the order of its outputs."
        )
