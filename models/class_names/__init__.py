"""Names of the classes that published networks distinguish, in the order of their outputs.

Facts, taken from their publishers: kinetics-400 from process_data/kinetics/classids.json of
facebookresearch/video-nonlocal-net, which agrees with the label map of mmaction2's Kinetics-400
demonstration (both alphabetical); cub-200 from the folder names of CUB-200-2011 in the order of
their numbers; imagenet-1k from torchvision's weights, asked at run time.
"""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent
_FILES = ("kinetics-400", "cub-200", "digits")
NAMES = (*_FILES, "imagenet-1k")


@cache
def class_names(name: str) -> tuple[str, ...]:
    """Return the class names called ``name`` (a member of NAMES), by output index."""
    if name in _FILES:
        text = (_FOLDER / f"{name}.txt").read_text(encoding="utf-8")
        return tuple(text.splitlines())
    if name != "imagenet-1k":
        raise ValueError(f"class names {name!r}; known are {', '.join(NAMES)}")
    import torchvision  # imported late: it takes as long as everything else together

    weights = torchvision.models.get_model_weights("resnet50").DEFAULT
    return tuple(weights.meta["categories"])
