"""The example clip, drawn by the program itself: a kick on a meadow, always the same."""

import hashlib
from functools import cache

import cv2
import numpy as np

from viz.examples.actions import Course, kick
from viz.examples.stick_figure import Outfit, Stand, draw_ball, draw_person
from viz.types import Clip

WIDTH, HEIGHT, FRAMES, RATE = 480, 360, 32, 16
NAME = "example-kick.mp4"
_STAND = Stand(165.0, 294.0, 225.0)
_COURSE = Course(event=0.42, speed=2.0, rise=0.55, radius=0.075)
_HORIZON = 190
CONTACT = round(_COURSE.event * (FRAMES - 1))
"""The frame in which the foot meets the ball."""


def foot_at(frame: int) -> tuple[float, float]:
    """Return where the kicking foot is in a frame, in pixels."""
    return _STAND.pixel(kick(frame / (FRAMES - 1), _COURSE).body["near_foot"])


@cache
def clip() -> Clip:
    """Return the example: 32 frames of 480 x 360 pixels at 16 frames a second."""
    ground = _meadow(np.random.default_rng(11))
    frames = np.stack([_drawn(ground, k) for k in range(FRAMES)])
    digest = hashlib.sha256(frames.tobytes()).hexdigest()
    return Clip(frames, tuple(k / RATE for k in range(FRAMES)), NAME, digest)


def _drawn(ground: np.ndarray, frame: int) -> np.ndarray:
    picture, moment = ground.copy(), kick(frame / (FRAMES - 1), _COURSE)
    outfit = Outfit(ball_radius=_COURSE.radius)
    for x, wide in ((_STAND.x, 52), (_STAND.pixel(moment.ball)[0], 17)):
        shade = picture.copy()
        middle = (round(x), round(_STAND.y) + 3)
        cv2.ellipse(shade, middle, (wide, 6), 0, 0, 360, (40, 72, 34), -1, cv2.LINE_AA)
        picture = cv2.addWeighted(shade, 0.55, picture, 0.45, 0)
    draw_person(picture, moment.body, _STAND, outfit)
    draw_ball(picture, moment.ball, _STAND, outfit, turned=0.5 * frame)
    return picture


def _meadow(draw: np.random.Generator) -> np.ndarray:
    """Sky, a blurred row of trees, grass with blades and two white lines."""
    rows = np.linspace(0, 1, HEIGHT)[:, None, None]
    sky = np.array((150, 190, 226)) * (1 - rows) + np.array((224, 236, 240)) * rows
    picture = np.broadcast_to(sky, (HEIGHT, WIDTH, 3)).astype(np.uint8).copy()
    for _ in range(110):
        centre = (int(draw.integers(-20, WIDTH + 20)), int(draw.normal(_HORIZON - 28, 16)))
        green = (
            int(draw.integers(36, 84)),
            int(draw.integers(84, 128)),
            int(draw.integers(40, 72)),
        )
        cv2.circle(picture, centre, int(draw.integers(12, 32)), green, -1, cv2.LINE_AA)
    picture = cv2.GaussianBlur(picture, (0, 0), 4)
    depth = np.linspace(0, 1, HEIGHT - _HORIZON)[:, None, None]
    grass = np.array((96, 142, 70)) * (1 - depth) + np.array((74, 126, 52)) * depth
    picture[_HORIZON:] = grass.astype(np.uint8)
    for _ in range(5200):
        x, y = int(draw.integers(0, WIDTH)), int(_HORIZON + (HEIGHT - _HORIZON) * draw.random())
        near = (y - _HORIZON) / (HEIGHT - _HORIZON)
        tone = int(draw.normal(0, 16))
        blade = (84 + tone, 134 + tone, 60 + tone)
        tip = (x + int(draw.integers(-2, 3)), y - int(2 + 6 * near))
        cv2.line(picture, (x, y), tip, blade, 1, cv2.LINE_AA)
    cv2.line(picture, (0, 214), (WIDTH, 205), (232, 236, 228), 2, cv2.LINE_AA)
    cv2.line(picture, (0, 344), (WIDTH, 326), (236, 240, 232), 5, cv2.LINE_AA)
    return picture
