"""The files and networks behind a recipe, for the command line and notebooks."""

import hashlib
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

from errors import AttentionVizError, InputError
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
    else it is looked for from ``folder`` (the recipe's), from the working directory, by its name in
    both and above the first, and in ``places``: files, whatever they are called, and folders with
    what is below them; of several the one of the right sha256 counts. ``networks`` likewise
    replaces ids. ``load`` loads a network by id and answers, except those that are ``loaded`` (a
    module of one's own, by its id); ``read`` opens a medium by its path and levels, in this process
    where it is left out.
    What was assumed about a medium is told to ``said``, a line each; a warning, unless that says
    otherwise. What was read or run is kept, so that nothing is read or run twice; of files, which
    are large, the last 16.
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
        places: Iterable[str | Path] = (),
    ) -> None:
        self.folder = Path(folder) if folder is not None else None
        self._places = tuple(str(place) for place in places)
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
        if medium.path in EXAMPLES:
            usual, others = iter((medium.path,)), iter(())
        else:
            usual, others = self._usual(medium.path, self._media), self._given_files(medium.path)
        changed = []
        for place in usual:
            found = self._footage(place, medium.levels)
            if medium.sha256 in ("", found.sha256):
                return found
            changed.append((place, found.sha256))
        for place in others:
            found = self._tried(place, medium)
            if found is not None:
                return found
        if not changed:
            raise _missing(medium.path, medium.sha256, mapped(medium.path, self._media), "--media")
        place, sha256 = changed[0]
        raise InputError(
            f"{place} has changed: it has sha256 {sha256[:_HASH]}, the recipe's {medium.path} had "
            f"{medium.sha256[:_HASH]}. Give the file that was used with --media PATH, or --media "
            f"{medium.path}=PATH."
        )

    def _tried(self, place: str, medium: Medium) -> Footage | None:
        """Return what is at a place where it is the medium: by its sha256, or where the recipe has
        none by its name; what cannot be read is another file."""
        if not medium.sha256:
            same = _last(place) == _last(medium.path)
            return self._footage(place, medium.levels) if same else None
        try:
            found = self._footage(place, medium.levels)
        except AttentionVizError:
            return None
        return found if found.sha256 == medium.sha256 else None

    def _usual(self, path: str, table: Mapping[str, str]) -> Iterator[str]:
        """Yield where a recipe's file is looked for first, as far as there is something."""
        new, last = mapped(path, table), _last(path)
        if new is not None:
            places = [new]
        elif self.folder is None:
            places = [path, last]
        else:
            # Above, too: the recipe of maps lies in a folder of theirs.
            here, above = self.folder, self.folder.absolute().parent
            places = [str(here / path), path, str(here / last), last, str(above / last)]
        yield from (one for one in dict.fromkeys(places) if one in EXAMPLES or is_there(one))

    def _given_files(self, path: str) -> Iterator[str]:
        """Yield the files of ``places``, and what is called like ``path`` in their folders."""
        for place in self._places:
            if not os.path.isdir(place):  # noqa: PTH112 (never raises)
                if is_there(place):
                    yield place
                continue
            if _last(place) == _last(path):
                yield place
            whole = os.path.join(place, path)  # noqa: PTH118
            if is_there(whole):
                yield whole
            yield from _below(place, _last(path))

    def _place(self, network: Network) -> str:
        """Return the name or path by which a recipe's network is loaded."""
        new = mapped(network.id, self._ids)
        if new is not None:
            return new
        if is_library_name(network.id):
            return network.id
        is_path = network.id.endswith(catalogue.SUFFIXES)
        usual = list(self._usual(network.id, _NONE))
        if is_path and len(usual) == 1 and not self._places:
            return usual[0]
        every = (*usual, *self._given_files(network.id))
        found = next((one for one in every if _is(one, network)), None)
        if found is not None:
            return found
        if is_path and not usual:
            raise _missing(network.id, network.sha256, None, "--network")
        return usual[0] if is_path else network.id


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
        f"{option} PATH (the file, or a folder that has it), or {option} {path}=PATH."
    )


def _last(path: str) -> str:
    return PurePosixPath(path.replace("\\", "/")).name


def _below(folder: str, name: str) -> Iterator[str]:
    """Yield what is called ``name`` in a folder and those below it."""
    for where, folders, files in os.walk(folder):
        if name in files or name in folders:
            yield os.path.join(where, name)  # noqa: PTH118


def _is(path: str, network: Network) -> bool:
    """Tell whether a file holds a network: by its sha256, by the file's name where the recipe has
    none."""
    if not network.sha256:
        return _last(path) == _last(network.id)
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == network.sha256
    except (OSError, ValueError):
        return False


def is_there(path: str | Path) -> bool:
    """Tell whether there is a file, a folder, or a series of frames in one."""
    there = os.path.exists(path)  # noqa: PTH110 (never raises)
    return there or footage.is_series(Path(path))
