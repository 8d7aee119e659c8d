"""A drawn street: houses, a road, cars, people, a traffic light."""

import numpy as np
from PIL import Image, ImageDraw


def street(width: int = 640, height: int = 427, seed: int = 5) -> Image.Image:
    """Return the picture, RGB, with some noise, as a camera has it."""
    picture = Image.new("RGB", (width, height), (150, 180, 215))
    pen, draw = ImageDraw.Draw(picture), np.random.default_rng(seed)
    horizon = int(0.62 * height)
    for left in range(0, width, width // 6):
        top = int(draw.uniform(0.1, 0.35) * height)
        colour = tuple(int(v) for v in draw.integers(90, 190, 3))
        pen.rectangle((left, top, left + width // 6 - 4, horizon), colour)
        for row in range(top + 12, horizon - 20, 34):
            for col in range(left + 10, left + width // 6 - 24, 30):
                pen.rectangle((col, row, col + 16, row + 20), (60, 70, 95))
    pen.rectangle((0, horizon, width, height), (95, 95, 100))
    for col in range(20, width, 90):
        pen.rectangle((col, int(0.82 * height), col + 45, int(0.835 * height)), (235, 235, 235))
    for left, size, colour in ((60, 150, (190, 30, 40)), (380, 190, (30, 60, 150))):
        bottom = int(0.9 * height)
        pen.rectangle((left, bottom - size // 3, left + size, bottom - 12), colour)
        roof = bottom - size // 2
        corners = [(left + k * size // 10, y) for k, y in ((2, 0), (3, 1), (7, 1), (8, 0))]
        pen.polygon([(x, roof if y else bottom - size // 3) for x, y in corners], (40, 45, 60))
        for wheel in (left + size // 5, left + 4 * size // 5):
            pen.ellipse((wheel - 14, bottom - 26, wheel + 14, bottom + 2), (20, 20, 22))
    for left, colour in ((250, (200, 150, 60)), (300, (60, 140, 90)), (590, (120, 60, 140))):
        top = int(0.58 * height)
        pen.ellipse((left, top, left + 18, top + 20), (225, 180, 150))
        pen.rectangle((left - 3, top + 20, left + 21, top + 62), colour)
        pen.rectangle((left, top + 62, left + 7, top + 100), (35, 35, 60))
        pen.rectangle((left + 11, top + 62, left + 18, top + 100), (35, 35, 60))
    noise = draw.normal(0, 5, (height, width, 3))
    return Image.fromarray((np.asarray(picture) + noise).clip(0, 255).astype(np.uint8))
