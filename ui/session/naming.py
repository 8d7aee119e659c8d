"""What a recipe calls the media and networks of a session."""

from models.loaded import LoadedModel
from viz.examples import bird, kick
from viz.figure.recipe.recipe import Medium, Network
from viz.media.footage import Footage
from viz.types import Clip


def medium_of(clip: Clip) -> Medium:
    """Return the recipe's entry of a clip; the drawn examples are named ``example:``."""
    return Medium(_path(clip), clip.sha256, clip.numbers, clip.levels)


def file_of(footage: Footage) -> Medium:
    """Return the file of footage, of which no frames were taken yet, likewise named."""
    return Medium(_path(footage), footage.sha256, levels=footage.levels)


def _path(found: Clip | Footage) -> str:
    if found.sha256 == bird.clip().sha256:
        return "example:bird"
    if found.name == bird.SECOND_NAME and found.sha256 == bird.second().sha256:
        return "example:second-bird"
    if found.name == kick.NAME and found.sha256 == kick.clip().sha256:
        return "example:kick"
    return found.name


def network_of(model: LoadedModel) -> Network:
    """Return the recipe's entry of a network."""
    classes = model.class_names if model.names_given else ()
    return Network(model.id, model.sha256, classes=classes)
