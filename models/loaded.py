"""A network that is ready to use, with what is known of where it came from."""

import threading
from dataclasses import dataclass, field

from models.backbones.resnet import AttentionResNet
from models.specs import ModelSpec


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network in eval mode, its class names (may be empty), and the sha256 of its weight file.

    ``lock`` guards hooks: whoever registers one holds it, since models are shared between users.
    """

    id: str
    spec: ModelSpec
    network: AttentionResNet
    class_names: tuple[str, ...]
    sha256: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def class_name(self, index: int) -> str:
        """Return the name of class ``index``, or its number when the file names none."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"
