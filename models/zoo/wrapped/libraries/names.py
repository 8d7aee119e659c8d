"""How networks of libraries are named: timm:NAME?pretrained=no&weights=PATH."""

import difflib
import os.path
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qsl

from errors import OutsideError

LIBRARIES = ("timm", "torchvision", "hf")


@dataclass(frozen=True)
class LibraryName:
    """A network of a library: ``pretrained`` weights, or random ones that are always the same;
    ``weights`` is a file of weights that takes their place. Without ``download`` only what is on
    this machine is loaded."""

    library: str
    name: str
    pretrained: bool = True
    weights: str = ""
    download: bool = True


def is_library_name(text: str) -> bool:
    """Tell whether a name is one of a library."""
    return text.partition(":")[0] in LIBRARIES and ":" in text


def parse(text: str) -> LibraryName:
    """Read a name; OutsideError for an option that there is not."""
    library, _, rest = text.partition(":")
    name, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    known = {"pretrained", "weights"}
    if not name or set(options) - known or options.get("pretrained", "yes") not in ("yes", "no"):
        raise OutsideError(
            f"{text[:120]!r} is not the name of a network; write {library}:NAME, with "
            "?pretrained=no for random weights or ?weights=PATH for a file of them."
        )
    pretrained = options.get("pretrained", "yes") == "yes" and "weights" not in options
    return LibraryName(library, name, pretrained, options.get("weights", ""))


def check_public(text: str) -> None:
    """Refuse a name that means a file or folder of this machine: pages take names only."""
    wanted = parse(text)
    of_hub = wanted.library != "hf" or re.fullmatch(r"[\w.-]+/[\w.-]+", wanted.name)
    if wanted.weights or not of_hub or os.path.isdir(wanted.name):  # noqa: PTH112 (never raises)
        raise OutsideError(
            f"{text[:80]!r} is a place on a machine; write timm:NAME, torchvision:NAME or "
            "hf:ORG/NAME here. Folders and files are for the command line and Python."
        )


def unknown(library: str, name: str, known: Iterable[str]) -> OutsideError:
    """Return the refusal of a name that a library does not have, with those spelled like it."""
    near = difflib.get_close_matches(name, list(known), 3, 0.5)
    hint = f"perhaps {' or '.join(near)}" if near else "search for one on the Models page"
    return OutsideError(f"{name[:80]!r} is not a network of {library}; {hint}.")
