"""A drawn person with a ball: poses, the joints they give, and both painted into a frame.

Body coordinates are in body heights: the origin is on the ground below the hips, x points the way
the person faces, y up.
"""

from dataclasses import dataclass, fields
from math import cos, sin

import cv2
import numpy as np

THIGH = SHIN = 0.245
TORSO, NECK, HEAD_RADIUS = 0.30, 0.12, 0.068
UPPER_ARM, FOREARM = 0.17, 0.16
_SUBPIXEL = 4

Point = tuple[float, float]
Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Pose:
    """Angles in radians; 0 hangs straight down (the torso: stands upright), forward is positive.

    Knees bend backward and elbows forward. ``near`` is the side towards the camera; ``jump`` lifts
    the lower foot off the ground, in body heights.
    """

    lean: float = 0.03
    near_shoulder: float = 0.1
    near_elbow: float = 0.25
    far_shoulder: float = -0.1
    far_elbow: float = 0.25
    near_hip: float = 0.1
    near_knee: float = 0.08
    far_hip: float = -0.08
    far_knee: float = 0.06
    jump: float = 0.0

    def towards(self, other: "Pose", share: float) -> "Pose":
        """Return the pose ``share`` of the way to another, eased at both ends."""
        eased = share * share * (3 - 2 * share)
        return Pose(*(
            (1 - eased) * getattr(self, f.name) + eased * getattr(other, f.name)
            for f in fields(Pose)
        ))  # fmt: skip


Joints = dict[str, Point]
"""hip, shoulder, head; near_ and far_ elbow, hand, knee, foot: points in body coordinates."""


def _along(start: Point, length: float, angle: float) -> Point:
    return start[0] + length * sin(angle), start[1] - length * cos(angle)


def joints(pose: Pose) -> Joints:
    """Return where the joints are; the lower foot stands on the ground unless the pose jumps."""
    found: Joints = {"hip": (0.0, 0.0)}
    for side in ("near", "far"):
        hip, bend = getattr(pose, f"{side}_hip"), getattr(pose, f"{side}_knee")
        found[f"{side}_knee"] = _along(found["hip"], THIGH, hip)
        found[f"{side}_foot"] = _along(found[f"{side}_knee"], SHIN, hip - bend)
    found["shoulder"] = (TORSO * sin(pose.lean), TORSO * cos(pose.lean))
    found["head"] = tuple((1 + NECK / TORSO) * v for v in found["shoulder"])
    for side in ("near", "far"):
        raised, bend = getattr(pose, f"{side}_shoulder"), getattr(pose, f"{side}_elbow")
        found[f"{side}_elbow"] = _along(found["shoulder"], UPPER_ARM, raised)
        found[f"{side}_hand"] = _along(found[f"{side}_elbow"], FOREARM, raised + bend)
    ground = min(found["near_foot"][1], found["far_foot"][1]) - 0.02 - pose.jump
    return {name: (x, y - ground) for name, (x, y) in found.items()}


@dataclass(frozen=True)
class Stand:
    """Where a body stands in the picture: pixel (x, y) of its origin, height in pixels, facing.

    ``facing`` is 1 to the right and -1 to the left.
    """

    x: float
    y: float
    height: float
    facing: int = 1

    def pixel(self, point: Point) -> Point:
        """Map body coordinates to pixels."""
        return self.x + self.facing * self.height * point[0], self.y - self.height * point[1]


@dataclass(frozen=True)
class Outfit:
    """Colours as RGB, and the ball's radius in body heights."""

    skin: Colour = (214, 164, 128)
    hair: Colour = (70, 48, 34)
    shirt: Colour = (196, 44, 52)
    shorts: Colour = (40, 52, 96)
    socks: Colour = (240, 240, 240)
    ball: Colour = (246, 246, 240)
    patches: Colour = (36, 36, 40)
    ball_radius: float = 0.07


def _fixed(point: Point) -> tuple[int, int]:
    return round(point[0] * 2**_SUBPIXEL), round(point[1] * 2**_SUBPIXEL)


def _limb(frame: np.ndarray, start: Point, end: Point, width: float, colour: Colour) -> None:
    thick = max(1, round(width))
    cv2.line(frame, _fixed(start), _fixed(end), colour, thick, cv2.LINE_AA, _SUBPIXEL)


def _disc(frame: np.ndarray, centre: Point, radius: float, colour: Colour) -> None:
    size = max(1, round(radius * 2**_SUBPIXEL))
    cv2.circle(frame, _fixed(centre), size, colour, -1, cv2.LINE_AA, _SUBPIXEL)


def _darker(colour: Colour) -> Colour:
    return tuple(round(0.78 * v) for v in colour)


def draw_person(frame: np.ndarray, body: Joints, stand: Stand, outfit: Outfit) -> None:
    """Paint the person into a (H, W, 3) uint8 frame, in place."""
    at = {name: stand.pixel(point) for name, point in body.items()}
    unit = stand.height
    for side, shade in (("far", _darker), ("near", lambda colour: colour)):
        if side == "near":
            _limb(frame, at["hip"], at["shoulder"], 0.13 * unit, outfit.shirt)
            _disc(frame, at["head"], HEAD_RADIUS * unit, outfit.skin)
            crown = (at["head"][0] - stand.facing * 0.012 * unit, at["head"][1] - 0.03 * unit)
            _disc(frame, crown, 0.05 * unit, outfit.hair)
        hip, knee, foot = at["hip"], at[f"{side}_knee"], at[f"{side}_foot"]
        _limb(frame, hip, knee, 0.085 * unit, shade(outfit.shorts))
        _limb(frame, knee, foot, 0.058 * unit, shade(outfit.socks))
        toe = (foot[0] + stand.facing * 0.05 * unit, foot[1] + 0.008 * unit)
        _limb(frame, foot, toe, 0.045 * unit, (32, 30, 30))
        shoulder, elbow, hand = at["shoulder"], at[f"{side}_elbow"], at[f"{side}_hand"]
        _limb(frame, shoulder, elbow, 0.058 * unit, shade(outfit.shirt))
        _limb(frame, elbow, hand, 0.045 * unit, shade(outfit.skin))
        _disc(frame, hand, 0.028 * unit, shade(outfit.skin))


def draw_ball(
    frame: np.ndarray, ball: Point, stand: Stand, outfit: Outfit, turned: float = 0.0
) -> None:
    """Paint the ball, turned by an angle in radians, into a (H, W, 3) uint8 frame, in place."""
    centre, radius = stand.pixel(ball), outfit.ball_radius * stand.height
    _disc(frame, centre, radius, _darker(outfit.ball))
    _disc(frame, (centre[0] - 0.08 * radius, centre[1] - 0.1 * radius), 0.88 * radius, outfit.ball)
    for k in range(3):
        angle = turned + k * 2.0944
        spot = (centre[0] + 0.5 * radius * cos(angle), centre[1] + 0.5 * radius * sin(angle))
        _disc(frame, spot, 0.24 * radius, outfit.patches)
