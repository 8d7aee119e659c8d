"""Training clips, rendered: a drawn person and a ball over photographs, with shake and occlusion.

Everything is drawn, so every clip comes with its action and with where ball, head, hands and
feet are in each frame.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from viz.examples.actions import ACTIONS, Course, Moment
from viz.examples.stick_figure import Outfit, Stand, draw_ball, draw_person

LANDMARKS = ("ball", "head", "near_hand", "far_hand", "near_foot", "far_foot")
FRAMES = 8
NAMES = tuple(ACTIONS)
_MOVING = ("dribble", "hold", "no contact")


def _colour(draw: np.random.Generator, low: int = 0, high: int = 256) -> tuple[int, int, int]:
    return tuple(int(v) for v in draw.integers(low, high, 3))


def random_outfit(draw: np.random.Generator) -> Outfit:
    """Return clothes of any colour, natural skin, and mostly pale balls."""
    skin = np.array((230, 185, 150)) * draw.uniform(0.3, 1.08)
    return Outfit(
        skin=tuple(int(v) for v in skin.clip(0, 255)),
        hair=_colour(draw, 10, 120),
        shirt=_colour(draw),
        shorts=_colour(draw),
        socks=_colour(draw),
        ball=_colour(draw, 190) if draw.random() < 0.7 else _colour(draw, 90),
        patches=_colour(draw, 0, 90),
        ball_radius=draw.uniform(0.062, 0.09),
    )


def random_course(draw: np.random.Generator, action: str, radius: float) -> Course:
    """Return a random course of an action."""
    steps = draw.choice([0.0, draw.uniform(0.7, 2.0)]) if action in _MOVING else 0.0
    return Course(
        event=draw.uniform(0.33, 0.67),
        speed=draw.uniform(2.2, 4.5),
        rise=draw.uniform(0, 1),
        side=-1 if draw.random() < (0.15 if action == "no contact" else 0.5) else 1,
        far=draw.uniform(0, 1),
        steps=float(steps),
        radius=radius,
    )


@dataclass(frozen=True)
class Scene:
    """What stays the same in a clip: the place of the person, clothes, and their course over the
    ground in body heights per clip."""

    stand: Stand
    outfit: Outfit
    travel: float


def random_scene(draw: np.random.Generator, side: int, action: str) -> Scene:
    """Return a person of 0.4 to 0.8 of the frame's height, who faces the wider side of it."""
    height = side * draw.uniform(0.4, 0.8)
    x = side * draw.uniform(0.2, 0.8)
    y = draw.uniform(0.5 * side + 0.5 * height, side)
    facing = 1 if x < 0.5 * side else -1
    travel = draw.uniform(0.3, 0.9) if action == "dribble" else 0.0
    return Scene(Stand(x, y, height, facing), random_outfit(draw), travel)


def _shaken(draw: np.random.Generator, frames: int, side: int) -> np.ndarray:
    """Return the camera's offset in pixels at each frame, (T, 2): a smooth random walk."""
    steps = draw.normal(0, side * draw.uniform(0, 0.02), (frames, 2))
    walk = steps.cumsum(0)
    return (walk - walk.mean(0)).clip(-0.1 * side, 0.1 * side)


def _background(draw: np.random.Generator, photo: np.ndarray, side: int) -> np.ndarray:
    """Return a random crop of a photograph with room for the camera to move, 1.25 x side."""
    room = round(1.25 * side)
    cut = int(draw.uniform(0.55, 1.0) * min(photo.shape[:2]))
    top = draw.integers(0, photo.shape[0] - cut + 1)
    left = draw.integers(0, photo.shape[1] - cut + 1)
    crop = photo[top : top + cut, left : left + cut]
    if draw.random() < 0.5:
        crop = crop[:, ::-1]
    return cv2.resize(np.ascontiguousarray(crop), (room, room), interpolation=cv2.INTER_AREA)


def _occlude(draw: np.random.Generator, frames: np.ndarray, photo: np.ndarray) -> None:
    """Put a piece of another photograph before the scene; it drifts."""
    side = frames.shape[1]
    wide, high = (int(side * v) for v in (draw.uniform(0.06, 0.2), draw.uniform(0.15, 0.6)))
    piece = cv2.resize(_background(draw, photo, side), (wide, high))
    x, y = draw.uniform(0, side - wide), draw.uniform(0, side - high)
    drift = draw.normal(0, 0.015 * side, 2)
    for k, frame in enumerate(frames):
        left, top = int(x + k * drift[0]), int(y + k * drift[1])
        rows, cols = (
            slice(max(0, top), max(0, top + high)),
            slice(max(0, left), max(0, left + wide)),
        )
        target = frame[rows, cols]
        if target.size:
            from_row, from_col = rows.start - top, cols.start - left
            target[:] = piece[from_row:, from_col:][: target.shape[0], : target.shape[1]]


def render(
    draw: np.random.Generator,
    photos: list[np.ndarray],
    action: str,
    side: int,
    frames: int = FRAMES,
) -> tuple[np.ndarray, np.ndarray, int]:
    """Render one clip: frames (T, side, side, 3) uint8, landmarks (T, L, 2), frame of the event."""
    scene = random_scene(draw, side, action)
    course = random_course(draw, action, scene.outfit.ball_radius)
    one, other = (photos[k] for k in draw.integers(0, len(photos), 2))
    ground, shake = _background(draw, one, side), _shaken(draw, frames, side)
    margin = (ground.shape[0] - side) // 2
    spin, behind = draw.uniform(-9, 9), action == "roll past" and draw.random() < 0.5
    pictures = np.empty((frames, side, side, 3), np.uint8)
    marks = np.empty((frames, len(LANDMARKS), 2), np.float32)
    for k, share in enumerate(np.linspace(0, 1, frames)):
        dx, dy = shake[k]
        left, top = round(margin - dx), round(margin - dy)
        pictures[k] = ground[top : top + side, left : left + side]
        moved = scene.travel * (share - 0.5) * scene.stand.height * scene.stand.facing
        stand = Stand(
            scene.stand.x + dx + moved, scene.stand.y + dy, scene.stand.height, scene.stand.facing
        )
        moment = ACTIONS[action](float(share), course)
        _paint(pictures[k], moment, stand, scene.outfit, spin * share, behind)
        places = moment.body | {"ball": moment.ball}
        marks[k] = [stand.pixel(places[name]) for name in LANDMARKS]
    if draw.random() < 0.4:
        _occlude(draw, pictures, other)
    return _developed(draw, pictures), marks, round(course.event * (frames - 1))


def _paint(
    frame: np.ndarray, moment: Moment, stand: Stand, outfit: Outfit, turned: float, behind: bool
) -> None:
    if behind:
        draw_ball(frame, moment.ball, stand, outfit, turned)
    draw_person(frame, moment.body, stand, outfit)
    if not behind:
        draw_ball(frame, moment.ball, stand, outfit, turned)


def _developed(draw: np.random.Generator, pictures: np.ndarray) -> np.ndarray:
    """Change brightness and contrast of the whole clip, sometimes blur it, add grain."""
    gain, lift = draw.uniform(0.75, 1.25), draw.uniform(-25, 25)
    if draw.random() < 0.3:
        pictures = np.stack([cv2.GaussianBlur(p, (3, 3), draw.uniform(0.3, 0.9)) for p in pictures])
    grain = draw.normal(0, draw.uniform(0, 6), pictures.shape[1:]).astype(np.float32)
    return (
        np.rint(pictures * np.float32(gain) + np.float32(lift) + grain)
        .clip(0, 255)
        .astype(np.uint8)
    )
