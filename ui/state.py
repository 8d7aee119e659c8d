"""What a session holds: one register of its keys, with what each holds.

Nothing else touches st.session_state. Widgets whose values code reads have their keys here too;
those that are made for a pin or a file are reached with ``widget``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

T = TypeVar("T")


@dataclass(frozen=True)
class Key(Generic[T]):
    """One entry of the session: its name, the type that it ``holds`` in words of the code, and its
    value while there is none."""

    name: str
    holds: str
    default: T = None

    def get(self) -> T:
        """Return the value, or the default."""
        return st.session_state.get(self.name, self.default)

    def set(self, value: T) -> None:
        """Keep a value."""
        st.session_state[self.name] = value

    def pop(self) -> T:
        """Return the value, or the default, and forget it."""
        return st.session_state.pop(self.name, self.default)

    def once(self, make: Callable[[], T]) -> T:
        """Return the value; made and kept where there is none."""
        if self.name not in st.session_state:
            st.session_state[self.name] = make()
        return st.session_state[self.name]

    def is_set(self) -> bool:
        """Tell whether there is a value."""
        return self.name in st.session_state


# The frame of all pages
FRAMED: Key[bool] = Key("framed", "bool", False)
WANTED_PAGE: Key[str | None] = Key("wanted_page", "str | None")

# What the address said when the session began, and what of it could not be had
LINK: Key[dict | None] = Key("link", "dict[str, str] | None")
LINK_WHOLE: Key[dict] = Key("link-whole", "dict[str, str]", {})
ADDRESS_WRITTEN: Key[dict | None] = Key("address-written", "dict[str, str] | None")
LINK_PROBLEMS: Key[tuple] = Key("link-problems", "tuple[str, ...]", ())
LINKED: Key[Any] = Key("linked", "Medium | None")
LINKED_NETWORKS: Key[dict] = Key("linked-networks", "dict[str, tuple[str, str]]", {})

# What the browser keeps, and files that are missing
BROWSER: Key[str | None] = Key("browser", "str | None")
BROWSER_HEARD: Key[bool] = Key("browser-heard", "bool", False)
BROWSER_CHOICES: Key[dict] = Key("browser-choices", "dict[str, str]", {})
"""Texts of pages, by their names, whose choices the browser keeps: too many for an address."""
OPENED: Key[Any] = Key("opened", "Opened | None")
MISSING_ROUND: Key[int] = Key("missing-round", "int", 0)
MISSING_PROBLEMS: Key[tuple] = Key("missing-problems", "tuple[str, ...]", ())

VIEW: Key[dict | None] = Key("view", "dict[str, str] | None")
"""The address of Explore's view, which the tab keeps; None before Explore was drawn."""
VIEW_WAITING: Key[dict | None] = Key("view-waiting", "dict[str, str] | None")

# Medium and reference patch
FOOTAGE = Key("footage", "Footage | None")
MEDIUM = Key("medium", "Footage | None")
ARRIVALS: Key[dict] = Key("arrivals", "dict[str, Arrival]", {})
BLACK: Key[float | None] = Key("black", "float | None")
WHITE: Key[float | None] = Key("white", "float | None")
UPLOAD_ROUND: Key[int] = Key("upload-round", "int", 0)
PLACES_GIVEN: Key[int] = Key("places-given", "int", 0)
"""Places for files that the browser was given, when the page was last run."""
UPLOAD_REFUSED: Key[str | None] = Key("upload-refused", "str | None")
"""The uploader whose file is not the medium in use: it was refused, or its reading stopped."""
UPLOAD_PROBLEM: Key[str | None] = Key("upload_problem", "str | None")
EXAMPLE: Key[str] = Key("example", "str", "bird")
SECOND: Key[Any] = Key("second-picture", "Clip | None")
SECOND_ROUND: Key[int] = Key("second-round", "int", 0)
SECOND_PROBLEM: Key[str | None] = Key("second-problem", "str | None")
SECOND_LINKED: Key[Any] = Key("second-linked", "Medium | None")
REFERENCE = Key("reference", "Reference | None")
REFERENCES: Key[dict[str, Any]] = Key("references", "dict")
"""The last reference of each of the media that were looked at last, by sha256."""
ADDRESS: Key[str] = Key("address", "str", "")
ADDRESS_MEDIUM: Key[str | None] = Key("address-medium", "str | None")
FRAME: Key[int] = Key("frame", "int", 0)
ROW: Key[int] = Key("row", "int", 0)
COL: Key[int] = Key("col", "int", 0)

# Explore's sidebar
NETWORK: Key[str | None] = Key("net", "str | None")
BESIDE: Key[str | None] = Key("beside", "str | None")
KIND: Key[str | None] = Key("kind", "str | None")
KIND_BESIDE: Key[str | None] = Key("kind2", "str | None")
KINDS_SUITED: Key[tuple] = Key("kinds-suited", "tuple[str, ...]", ())
BLOCK: Key[str | None] = Key("block1", "str | None")
BLOCK_BESIDE: Key[str | None] = Key("block2", "str | None")
MODE: Key[str] = Key("mode", "str", "fit")
SIZE: Key[int | None] = Key("size", "int | None")
SAMPLING: Key[str | None] = Key("sampling", "str | None")
SAMPLED_FRAMES: Key[int | None] = Key("frames", "int | None")
STEP: Key[float | None] = Key("step", "float | None")
STEP_UNIT: Key[str | None] = Key("unit", "str | None")
START: Key[float | None] = Key("start", "float | int | None")
START_MOVED: Key[bool] = Key("start-moved", "bool", False)
CHANNELS: Key[str | None] = Key("channels", "str | None")
CHANNEL_LIST: Key[str | None] = Key("list", "str | None")
CHANNEL_COUNT: Key[int | None] = Key("count", "int | None")
FOCUS: Key[str | None] = Key("focus", "str | None")
CLASS_COUNT: Key[int | None] = Key("class-count", "int | None")
CLASS_LIST: Key[str | None] = Key("class-list", "str | None")
CLASSES: Key[str | None] = Key("classes", "str | None")
CLASS_FOCUS: Key[str | None] = Key("class-focus", "str | None")
THRESHOLD: Key[float] = Key("threshold", "float", 0.7)
SCALE: Key[str] = Key("scale", "str", "min-max")
DISPLAY: Key[str] = Key("display", "str", "auto")
CUT: Key[str] = Key("cut", "str", "value")
SHARE: Key[float] = Key("share", "float", 0.2)
DPI: Key[int] = Key("dpi", "int", 300)
ENDS: Key[Any] = Key("ends", "tuple[float, float] | None")
SCENE: Key[Any] = Key("scene", "Scene | None")
LOW: Key[float | None] = Key("low", "float | None")
HIGH: Key[float | None] = Key("high", "float | None")
COLORMAP: Key[str] = Key("map", "str", "inferno")
OPACITY: Key[float] = Key("opacity", "float", 0.6)
SMOOTHING: Key[str] = Key("smoothing", "str", "smooth")
ARROWS: Key[bool] = Key("arrows", "bool", False)

# Objects of a detector on Explore
OBJECT: Key[int | None] = Key("object", "int | None")
OBJECT_CLASS: Key[str | None] = Key("object-class", "str | None")
OBJECT_SCORE: Key[float] = Key("object-score", "float", 0.5)
OBJECT_POINTER: Key[str] = Key("object-pointer", "str", "patch")
OBJECT_MASKS: Key[str] = Key("masks", "str", "translucent")

# Boxes of people, whose actions are told
PEOPLE_BOXES: Key[str] = Key("people-boxes", "str", "")

# Pins and networks of this session
PINS: Key[tuple] = Key("pins", "tuple[Pin, ...]", ())
PINS_BEFORE: Key[tuple] = Key("pins-before", "tuple[tuple, ...]", ())
PINS_MADE: Key[int] = Key("pins-made", "int", 0)
PIN_MESSAGE: Key[tuple[str, str]] = Key("pin-message", "tuple[str, str]", ("", ""))
CAPTURES = Key("captures", "Kept")
CLIPS = Key("clips", "Kept")
STOPPED: Key[tuple] = Key("stopped", "tuple[Hashable, ...]", ())
OWN_NETWORKS: Key[dict] = Key("own_models", "dict[str, tuple[LoadedModel, str]]")
DEVICE: Key[str | None] = Key("device", "str | None")
GATED: Key[str | None] = Key("gated", "str | None")
GATE_LAYER: Key[str | None] = Key("gate-layer", "str | None")
MOVIE: Key[tuple[str, bytes] | None] = Key("movie", "tuple[str, bytes] | None")
MOVIE_ENDED: Key[tuple[str, int, int] | None] = Key("movie-ended", "tuple[str, int, int] | None")
"""The movie that is being made, or that a press ended: what tells it from others, the frames that
were drawn, all of its frames."""

# The Figure page
FIGURE_SETTINGS = Key("figure-settings", "Chosen | None")
FIGURE_FREE_WIDTH: Key[bool] = Key("figure-free-width", "bool", False)
FIGURE_PIN: Key[str | None] = Key("figure-pin", "str | None")
FIGURE_PIN_PROBLEM: Key[str | None] = Key("figure-pin-problem", "str | None")
FIGURE_PREVIEW = Key("figure-preview", "Preview | None")
FIGURE_DRAFTS = Key("figure-drafts", "Drafts")
FIGURE_LIVE: Key[dict] = Key("figure-live", "dict[str, float]", {})
FIGURE_MEMO = Key("figure-memo", "Memo")
FIGURE_ROWS: Key[tuple] = Key("figure-rows", "tuple[str, ...]", ())
FIGURE_ROUND: Key[int] = Key("figure-round", "int", 0)
FIGURE_OPEN_PROBLEM: Key[str | None] = Key("figure-open-problem", "str | None")
FIGURE_KEYPOINTS: Key[list | None] = Key("figure-truth", "list[UploadedFile]")
FIGURE_KEYPOINTS_MESSAGE: Key[tuple[str, str]] = Key(
    "figure-truth-message", "tuple[str, str]", ("", "")
)
FIGURE_PART_NAME: Key[str] = Key("figure-part-name", "str", "")

# The Models page
BUNDLED_SHOWN: Key[str | None] = Key("bundled", "str | None")
PUBLISHED_SHOWN: Key[str | None] = Key("published", "str | None")
LIBRARY_SEARCH: Key[str] = Key("library-search", "str", "")
LIBRARY_NAME: Key[str | None] = Key("library-name", "str | None")
LIBRARY_NETWORK: Key[str | None] = Key("library-network", "str | None")
PUBLISHED_PROBLEM: Key[str | None] = Key("remove_problem", "str | None")
OWN_FILE = Key("own_file", "Held | None")
OWN_QUESTIONS = Key("own_questions", "tuple[tuple | None, tuple[Question, ...]]", (None, ()))
OWN_CHANGES = Key("own_changes", "tuple[tuple | None, dict[str, str]]", (None, {}))
OWN_INSPECTION = Key("own_inspection", "tuple[tuple, Inspection | AttentionVizError] | None")

# Data sets, and the pages that go through them
DATA: Key[str | None] = Key("data", "str | None")
DATA_UPLOAD: Key[Any] = Key("data-upload", "Uploaded | None")
DATA_REFUSED: Key[Any] = Key("data-refused", "Refused | None")
DATA_MOST: Key[int] = Key("data-most", "int", 200)
DATA_SPLIT: Key[str] = Key("data-split", "str", "both")
RUNS = Key("runs", "Runs")
EVALUATE_NETWORKS: Key[list | None] = Key("evaluate-networks", "list[str] | None")
EVALUATE_MEASURES: Key[list | None] = Key("evaluate-measures", "list[str] | None")
EVALUATE_MAPS: Key[list | None] = Key("evaluate-maps", "list[str] | None")
EVALUATE_BLOCK: Key[str | None] = Key("evaluate-block", "str | None")
EVALUATE_THRESHOLD: Key[float] = Key("evaluate-threshold", "float", 0.7)
EVALUATE_AREA: Key[float] = Key("evaluate-area", "float", 0.15)
EVALUATE_PARTS: Key[str | None] = Key("evaluate-parts", "str | None")
EVALUATE_SHOWN: Key[str | None] = Key("evaluate-shown", "str | None")
EVALUATED = Key("evaluated", "Kept | None")

COST_NETWORK: Key[str | None] = Key("cost-network", "str | None")
COST_SIZE: Key[int | None] = Key("cost-size", "int | None")
COST_FRAMES: Key[int | None] = Key("cost-frames", "int | None")

STRONGEST_NETWORK: Key[str | None] = Key("strongest-network", "str | None")
STRONGEST_BLOCK: Key[str | None] = Key("strongest-block", "str | None")
STRONGEST_PART: Key[str | None] = Key("strongest-part", "str | None")
STRONGEST_NUMBER: Key[int] = Key("strongest-number", "int", 0)
STRONGEST_FOUND = Key("strongest-found", "Kept | None")
STRONGEST_FIGURES = Key("strongest-figures", "Kept")

KEYS: dict[str, Key] = {key.name: key for key in list(globals().values()) if isinstance(key, Key)}
"""Every key by its name."""


def widget(name: str, holds: str = "object", default: Any = None) -> Key[Any]:  # noqa: ANN401
    """Return the key of a widget that is made for one pin, field or file."""
    return Key(name, holds, default)


def show(key: Key[T], value: T) -> None:
    """Put a widget to a value before it is drawn."""
    # Only where they differ: a value that is sent back pulls a slider out of the user's hand.
    if not key.is_set() or key.get() != value:
        key.set(value)
