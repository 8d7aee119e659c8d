"""A network that is ready to use, with its origin."""

import threading
from dataclasses import dataclass, field, replace
from functools import partial

from models.build import Network
from models.class_names import check_count
from models.report import Report
from models.specs.network import NetworkSpec
from models.specs.wrapped import WrappedSpec


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A network in eval mode, its class names (may be empty), and the sha256 of its weight file.

    ``report`` says how a checkpoint was read; None for networks that were not read from one.
    ``names_given`` tells that the class names are a list of the user's, which nothing else tells.
    ``lock`` guards hooks: whoever registers one holds it, since models are shared between users.
    """

    id: str
    spec: NetworkSpec | WrappedSpec
    network: Network
    class_names: tuple[str, ...]
    sha256: str
    report: Report | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    names_given: bool = False

    def __reduce__(self) -> tuple:
        """Leave the lock behind where it is copied or sent to another process."""
        parts = (self.id, self.spec, self.network, self.class_names, self.sha256, self.report)
        return partial(LoadedModel, names_given=self.names_given), parts

    def with_names(self, names: tuple[str, ...]) -> "LoadedModel":
        """Return the network with a list of the user's as class names, itself without one.

        InputError where the list is not as long as the network has classes.
        """
        if not names:
            return self
        check_count(names, self.spec.num_classes, self.id)
        return replace(self, class_names=names, names_given=True)

    def class_name(self, index: int) -> str:
        """Return the name of class ``index``, or its number when the file names none."""
        return self.class_names[index] if index < len(self.class_names) else f"class {index}"
