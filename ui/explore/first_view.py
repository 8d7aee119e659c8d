"""What the first view needs, made before anybody asks for it: networks, the example's capture, the
examples' small pictures.

Importing this module imports what the Explore page does.
"""

from models import devices
from ui import frame  # noqa: F401
from ui.components.keeper import keeper  # noqa: F401
from ui.components.pin_cards import pin_cards
from ui.explore import (  # noqa: F401
    explanations,
    linked_networks,
    objects,
    people,
    pinned_view,
    scene,
    second_picture,
)
from ui.explore.settings import display, map_choice, sampling  # noqa: F401
from ui.explore.sidebar import first_size
from ui.server import settings
from ui.session import loaders
from ui.session.defaults import PICTURE_NETWORKS
from ui.session.media import medium, second
from viz.attention import pipeline
from viz.attention.predictions import answer_size


def prepare() -> None:
    """Load the networks that are shown first, and run each on the example, outside of a session."""
    place = str(devices.found(settings.current().device))
    footage = medium.example(medium.EXAMPLES[0])
    for name in PICTURE_NETWORKS:
        model = loaders.network_of_all(name, place)
        clip = footage.sample(pipeline.sampling_for(model.spec))
        size = first_size(model.spec, footage.is_clip)
        capture = loaders.captured_example(model, clip, "fit", size)
        if (own := answer_size(capture, size)) is not None:
            loaders.captured_example(model, clip, "fit", own)
    for name in (*medium.EXAMPLES, *second.EXAMPLES):
        pin_cards.example(name)
