"""The files and networks behind a recipe, for the command line and notebooks."""

import os.path
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

from errors import InputError
from models.loaded import LoadedModel
from models.zoo import catalogue
from models.zoo.wrapped.libraries.names import is_library_name
from viz.attention import pipeline
from viz.attention.captures import Capture
from viz.examples import bird, kick
from viz.figure.recipe.recipe import MOST_REFERENCES, MOST_VIEWS, Medium, Network, View
from viz.geometry import Mode
from viz.media import footage
from viz.media.footage import Footage
from viz.types import Clip

EXAMPLES: Mapping[str, Callable[[], Clip]] = {
    "example:bird": bird.clip,
    "example:second-bird": bird.second,
    "example:kick": kick.clip,
}
"""Media that the program draws itself, by the path that recipes give them."""

Load = Callable[[str, Mapping[str, str]], LoadedModel]
Read = Callable[[str, tuple[float, float] | None], Footage]
_NONE: Mapping[str, str] = {}
_OPENED, _NETWORKS = 16, MOST_VIEWS
_HASH = 12


class FileSources:
    """Sources whose media are files, folders of frames and the drawn examples.

    A path in a recipe is replaced as ``media`` says (old -> new: a path, or a folder above it);
    else it is looked for from ``folder`` (the recipe's), from the working directory, and by its
    name in ``folder``. ``networks`` likewise replaces ids. ``load`` loads a network by id and
    answers, except those that are ``loaded`` (a module of one's own, by its id); ``read`` opens a
    medium by its path and levels, in this process where it is left out. What was assumed
    about a medium is told to ``said``, a line each; a warning, unless that says otherwise. What was
    read or run is kept, so that nothing is read or run twice; of files, which are large, the last
    16.
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        media: Mapping[str, str] = _NONE,
        networks: Mapping[str, str] = _NONE,
        load: Load | None = None,
        said: Callable[[str], None] = warnings.warn,
        loaded: Iterable[LoadedModel] = (),
        read: Read | None = None,
    ) -> None:
        self.folder = Path(folder) if folder is not None else None
        self._media, self._ids, self._said = dict(media), dict(networks), said
        self._given = {model.id: model for model in loaded}
        self._load = load or (lambda name, answers: catalogue.load(name, answers=answers))
        self._footage = lru_cache(_OPENED)(read or _footage)
        self._loaded = lru_cache(_NETWORKS)(self._load_network)
        self._clips = lru_cache(MOST_REFERENCES)(self._sampled)
        self._captures = lru_cache(MOST_REFERENCES * MOST_VIEWS)(self._captured)

    def footage(self, path: str, levels: tuple[float, float] | None = None) -> Footage:
        """Return what is at a path, or the example of that name, not decoded yet."""
        return self._footage(path if path in EXAMPLES else str(Path(path)), levels)

    def network(self, name: str, answers: Mapping[str, str] = _NONE) -> LoadedModel:
        """Return a network by its catalogue id or the path of its checkpoint."""
        return self.model(Network(name, "", tuple(answers.items())))

    def clip(self, medium: Medium) -> Clip:
        """Return the frames of a medium.

        InputError that names a file that is missing, with its sha256, or one that has changed,
        with both.
        """
        return self._clips(medium)

    def model(self, network: Network) -> LoadedModel:
        """Return a network; InputError where it is missing, or its weights are others."""
        found = self._loaded(self._place(network), tuple(sorted(network.answers)))
        if network.sha256 not in ("", found.sha256):
            raise InputError(
                f"{network.id} has changed: its weights have sha256 {found.sha256[:_HASH]}, the "
                f"recipe's had {network.sha256[:_HASH]}. Give the file that was used with "
                f"--network {network.id}=PATH."
            )
        # A list that is given now stands above that of the recipe.
        return found if found.names_given else found.with_names(network.classes)

    def capture(self, medium: Medium, view: View) -> Capture:
        """Return what one forward pass left of a medium, network, mode and size."""
        return self._captures(medium, view.network, *self._input(view))

    def _input(self, view: View) -> tuple[Mode, int]:
        """Return mode and size as they take effect: the same input never runs twice."""
        return pipeline.effective(self.model(view.network).spec, view.mode, view.size)

    def _captured(self, medium: Medium, network: Network, mode: Mode, size: int) -> Capture:
        return pipeline.capture(self.model(network), self.clip(medium), mode, size)

    def _load_network(self, name: str, answers: tuple[tuple[str, str], ...]) -> LoadedModel:
        return self._given.get(name) or self._load(name, dict(answers))

    def _sampled(self, medium: Medium) -> Clip:
        found = self._matching(medium)
        if found.is_clip and not medium.frames:
            raise InputError(
                f"{medium.path} is a clip of {len(found.times)} frames here, and a picture in the "
                "recipe. Give the picture, or add the frames to the recipe."
            )
        clip = found.take(medium.frames or (0,))
        for note in clip.notes:
            self._said(f"{clip.name}: {note}.")
        return clip

    def _matching(self, medium: Medium) -> Footage:
        """Return the first footage of the medium's sha256 where it may lie."""
        places = [medium.path] if medium.path in EXAMPLES else self._places(medium.path)
        others = []
        for place in places:
            found = self._footage(place, medium.levels)
            if medium.sha256 in ("", found.sha256):
                return found
            others.append((place, found.sha256))
        if not others:
            raise _missing(medium.path, medium.sha256, mapped(medium.path, self._media), "--media")
        place, sha256 = others[0]
        raise InputError(
            f"{place} has changed: it has sha256 {sha256[:_HASH]}, the recipe's {medium.path} had "
            f"{medium.sha256[:_HASH]}. Give the file that was used with --media "
            f"{medium.path}=PATH."
        )

    def _places(self, path: str) -> list[str]:
        """Return where a recipe's medium is looked for, as far as there is something."""
        new = mapped(path, self._media)
        if new is not None:
            return [new] if new in EXAMPLES or _exists(new) else []
        places = [Path(path)]
        if self.folder is not None:
            places = [self.folder / path, *places, self.folder / _last(path)]
        return list(dict.fromkeys(str(place) for place in places if _exists(place)))

    def _place(self, network: Network) -> str:
        """Return the name or path by which a recipe's network is loaded."""
        new = mapped(network.id, self._ids)
        if new is not None:
            return new
        if is_library_name(network.id) or not network.id.endswith(catalogue.SUFFIXES):
            return network.id
        places = [Path(network.id)]
        if self.folder is not None:
            places = [self.folder / network.id, *places, self.folder / _last(network.id)]
        for place in places:
            if _exists(place):
                return str(place)
        raise _missing(network.id, network.sha256, None, "--network")


def _footage(path: str, levels: tuple[float, float] | None) -> Footage:
    if path not in EXAMPLES:
        return footage.load(path, levels)
    if levels is not None:
        raise InputError(f"{path} has 8 bits a value, so that levels do not apply; leave them out.")
    return footage.of(EXAMPLES[path]())


def mapped(path: str, table: Mapping[str, str]) -> str | None:
    """Return what a table says of a path, of its bare name, or of the nearest folder above it."""
    for old in (path, PurePosixPath(path).name):
        if old in table:
            return table[old]
    for parent in PurePosixPath(path).parents:
        for old, new in table.items():
            if parent == PurePosixPath(old) and old not in (".", ""):
                return str(Path(new) / PurePosixPath(path).relative_to(parent))
    return None


def _missing(path: str, sha256: str, new: str | None, option: str) -> InputError:
    looked = f" at {new}" if new else ""
    return InputError(
        f"{path} is missing{looked} (sha256 {sha256[:_HASH] or 'not known'}); say where it is with "
        f"{option} {path}=PATH."
    )


def _last(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def _exists(path: str | Path) -> bool:
    """Tell whether there is a file, a folder, or a series of frames in one."""
    there = os.path.exists(path)  # noqa: PTH110 (never raises)
    return there or footage.is_series(Path(path))
