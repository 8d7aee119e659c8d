"""What a recipe calls the media and networks of a session."""

from models.loaded import LoadedModel
from viz.examples import bird, kick
from viz.figure.recipe.recipe import Medium, Network
from viz.types import Clip


def medium_of(clip: Clip) -> Medium:
    """Return the recipe's entry of a clip; the drawn examples are named ``example:``."""
    path = clip.name
    if clip.sha256 == bird.clip().sha256:
        path = "example:bird"
    elif clip.name == bird.SECOND_NAME and clip.sha256 == bird.second().sha256:
        path = "example:second-bird"
    elif clip.name == kick.NAME and clip.sha256 == kick.clip().sha256:
        path = "example:kick"
    return Medium(path, clip.sha256, clip.numbers, clip.levels)


def network_of(model: LoadedModel) -> Network:
    """Return the recipe's entry of a network."""
    classes = model.class_names if model.names_given else ()
    return Network(model.id, model.sha256, classes=classes)
