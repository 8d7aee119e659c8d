"""One published checkpoint, as its authors' page describes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Url:
    """A file on the publisher's server; ``sha256`` is the start of its hash, if published."""

    url: str
    sha256: str = ""

    @property
    def link(self) -> str:
        """Address to show and to fetch."""
        return self.url

    @property
    def file_name(self) -> str:
        """The publisher's name of the file, which adapters read."""
        return PurePosixPath(urlsplit(self.url).path).name


@dataclass(frozen=True)
class Drive:
    """A file on Google Drive; ``file_name`` is ours, the publisher's is not known beforehand."""

    file_id: str
    file_name: str
    sha256: str = ""

    @property
    def link(self) -> str:
        """Address to show."""
        return f"https://drive.google.com/file/d/{self.file_id}/view"


@dataclass(frozen=True)
class Published:
    """One checkpoint that its authors publish.

    ``accuracy`` is top-1 / top-5 in percent as published, of detectors AP of boxes / of masks or
    key points, ``answers`` what the weights cannot show
    and follows from its being this file, ``classes`` the name of its class names, ``licence`` that
    of the code it comes with, ``caution`` what a user should know.
    """

    id: str
    title: str
    family: str
    paper: str
    dataset: str
    accuracy: str
    input: str
    source: Url | Drive
    classes: str
    licence: str
    answers: Mapping[str, str] = field(default_factory=dict)
    size_mb: float | None = None
    caution: str = ""

    @property
    def told(self) -> Mapping[str, str]:
        """All that follows from its being this file, as answers: whose classes it tells, too."""
        return {**self.answers, "class_names": self.classes}


@dataclass(frozen=True)
class NotOffered:
    """A published file of these blocks that cannot be used here, and why."""

    title: str
    link: str
    reason: str
