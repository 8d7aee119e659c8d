"""The heat of a map alone, as a transparent PNG to lay over the picture in another program."""

import io

from PIL import Image

from viz.figure.draw import rasters
from viz.figure.panels.panel_rows import Picture, Shade
from viz.figure.resolve import Scene, Shot
from viz.geometry import Box
from viz.rendering import heat
from viz.rendering.look import Look
from viz.types import AttentionMap, moment


def png(scene: Scene, shot: Shot, attention: AttentionMap, look: Look) -> bytes:
    """Return the heat of a map over the reference's frame, of the frame's size, as a PNG.

    Colours and opacity are those of the view; what is not shown, and what the network does not
    see, is transparent. A constant map shows nothing.
    """
    clip, frame = scene.clip, scene.frame
    scaled = heat.normalise(attention, look)
    t = moment(scene.reference.frame, len(clip.frames), len(scaled.values))
    whole = Box(0, 0, clip.width, clip.height)
    picture = Picture(frame, whole, Shade(scaled, t, shot.geometry), size=clip.size)
    height, width = frame.shape[:2]
    packed = io.BytesIO()
    Image.fromarray(rasters.alone(picture, width, height, look)).save(packed, "PNG")
    return packed.getvalue()
