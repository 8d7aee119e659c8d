"""What is sent to the picker, read as the browser reads it."""

import json

import numpy as np

from ui.components.picker.payload import pack
from viz.rendering.look import Look


def unpacked(blob):
    size = int.from_bytes(blob[:4], "little")
    return json.loads(blob[4 : 4 + size]), blob[4 + size :]


def panel_of(found, look=None):
    """The header of the first network, and the bytes behind it."""
    header, body = unpacked(pack(found, look or Look()))
    return header["panels"][0], body


def read(place, body):
    """One array as the browser reads it, float64."""
    first, last = place["offset"], place["offset"] + place["length"]
    if place["type"] == "float":
        return np.frombuffer(body[first:last], np.float32).astype(float)
    halves = np.frombuffer(body[first:last], np.float16).astype(float)
    if place["type"] == "half":
        return halves * place["peak"]
    return place["low"] + place["span"] * halves
