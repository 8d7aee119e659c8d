"""Ten actions of a person with a ball that differ in how body and ball relate.

An action gives, for a share s in [0, 1] of the clip, the pose and the ball's place in body
coordinates (see viz.examples.stick_figure); what happens, happens at ``Course.event``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import pi, sin

from viz.examples.stick_figure import Joints, Point, Pose, joints

GRAVITY = 9.0
"""Body heights per clip length squared."""


@dataclass(frozen=True)
class Course:
    """What varies between two clips of one action.

    ``event`` in (0.3, 0.7) is when it happens; ``speed`` of the ball in body heights per clip;
    ``rise`` in [0, 1] how high it flies; ``side`` 1 or -1 where it comes from; ``far`` in body
    heights, its distance where it is never touched; ``steps`` walking strides per clip (0 stands);
    ``radius`` of the ball.
    """

    event: float = 0.5
    speed: float = 3.5
    rise: float = 0.5
    side: int = 1
    far: float = 1.0
    steps: float = 0.0
    radius: float = 0.07


@dataclass(frozen=True)
class Moment:
    """One instant: the joints and the ball, in body coordinates."""

    body: Joints
    ball: Point


Keys = tuple[tuple[float, Pose], ...]
"""Poses at times relative to the event."""

STAND = Pose()
_SWING: Keys = (
    (-0.3, STAND),
    (-0.12, Pose(-0.1, 0.5, 0.4, -0.6, 0.5, -0.75, 1.2, 0.1, 0.1)),
    (0.0, Pose(-0.12, -0.5, 0.4, 0.7, 0.4, 0.55, 0.1, -0.1, 0.15)),
    (0.14, Pose(-0.2, -0.7, 0.4, 0.9, 0.4, 1.15, 0.05, -0.1, 0.2)),
    (0.38, STAND),
)
_THROW: Keys = (
    (-0.35, Pose(0.0, 0.5, 1.2, 0.3, 0.6, -0.15, 0.1, 0.25, 0.1)),
    (-0.14, Pose(-0.15, 3.6, 1.0, 1.2, 0.3, -0.3, 0.2, 0.3, 0.1)),
    (0.0, Pose(0.15, 2.1, 0.1, 0.2, 0.4, -0.2, 0.2, 0.35, 0.15)),
    (0.14, Pose(0.3, 0.9, 0.1, -0.4, 0.4, -0.35, 0.4, 0.35, 0.2)),
    (0.4, STAND),
)
_HELD = Pose(0.02, 0.45, 1.55, 0.5, 1.5)
_CATCH: Keys = (
    (-0.4, STAND),
    (-0.12, Pose(0.1, 1.35, 0.25, 1.45, 0.25, 0.25, 0.35, -0.1, 0.3)),
    (0.0, Pose(0.05, 1.4, 0.2, 1.5, 0.2, 0.2, 0.3, -0.1, 0.3)),
    (0.18, _HELD),
)
_HEADER: Keys = (
    (-0.3, STAND),
    (-0.12, Pose(-0.3, 0.6, 0.6, 0.6, 0.6, 0.1, 0.5, -0.2, 0.5, 0.02)),
    (0.0, Pose(0.3, -0.5, 0.5, -0.4, 0.5, -0.1, 0.3, -0.25, 0.4, 0.1)),
    (0.16, Pose(0.4, -0.3, 0.4, -0.2, 0.4, 0.2, 0.3, -0.1, 0.2)),
    (0.35, STAND),
)


def _posed(keys: Keys, when: float) -> Pose:
    """Return the pose at a time relative to the event."""
    for (start, first), (end, second) in zip(keys, keys[1:], strict=False):
        if when < end:
            return first.towards(second, max(0.0, when - start) / (end - start))
    return keys[-1][1]


def _walking(s: float, steps: float, arms: Pose = STAND) -> Pose:
    """Return a walking (or, with 0 steps, standing) pose; the arms of another pose may be kept."""
    stride = 0.45 * sin(2 * pi * steps * s) if steps else 0.0
    swing = -stride if arms is STAND else 0.0
    return Pose(
        arms.lean + 0.04, arms.near_shoulder + swing, arms.near_elbow,
        arms.far_shoulder - swing, arms.far_elbow,
        0.08 + stride, 0.1 + 0.5 * max(0.0, -stride), -0.08 - stride, 0.1 + 0.5 * max(0.0, stride),
    )  # fmt: skip


def _flight(start: Point, velocity: Point, t: float, radius: float) -> Point:
    """Return where a ball is t after (before: t < 0) it was at ``start``; it bounces off the
    ground."""
    x, y = start[0] + velocity[0] * t, start[1] + velocity[1] * t - GRAVITY * t * t / 2
    return x, radius + abs(y - radius) * (1.0 if y >= radius else 0.55)


def _middle(a: Point, b: Point) -> Point:
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


def _in_hands(body: Joints, radius: float) -> Point:
    x, y = _middle(body["near_hand"], body["far_hand"])
    return x + 0.6 * radius, y


def kick(s: float, course: Course) -> Moment:
    """The ball lies before the foot and flies off when it is hit."""
    body = joints(_posed(_SWING, s - course.event))
    foot = joints(_posed(_SWING, 0.0))["near_foot"]
    rest = (foot[0] + 0.05 + course.radius, course.radius)
    if s < course.event:
        return Moment(body, rest)
    upward = 0.4 + 2.6 * course.rise
    return Moment(body, _flight(rest, (course.speed, upward), s - course.event, course.radius))


def miss(s: float, course: Course) -> Moment:
    """The same swing of the leg; the ball goes on lying, or rolling, where it was."""
    moment = kick(s, course)
    away = 0.55 + 0.35 * course.far
    drift = 0.0 if course.side > 0 else -0.5 * (s - course.event)
    return Moment(moment.body, (away + drift, course.radius))


def throw(s: float, course: Course) -> Moment:
    """The ball leaves one hand that swings over the head."""
    body = joints(_posed(_THROW, s - course.event))
    if s < course.event:
        x, y = body["near_hand"]
        return Moment(body, (x, y + 0.5 * course.radius))
    released = joints(_posed(_THROW, 0.0))["near_hand"]
    velocity = (course.speed, 0.4 + 1.6 * course.rise)
    return Moment(body, _flight(released, velocity, s - course.event, course.radius))


def catch(s: float, course: Course) -> Moment:
    """The ball comes flying into both hands, which then draw it to the chest."""
    body = joints(_posed(_CATCH, s - course.event))
    if s >= course.event:
        return Moment(body, _in_hands(body, course.radius))
    caught = _in_hands(joints(_posed(_CATCH, 0.0)), course.radius)
    velocity = (-course.speed, 1.5 - 2.4 * course.rise)
    return Moment(body, _flight(caught, velocity, s - course.event, course.radius))


def header(s: float, course: Course) -> Moment:
    """The ball comes flying to the forehead and off again."""
    body = joints(_posed(_HEADER, s - course.event))
    x, y = joints(_posed(_HEADER, 0.0))["head"]
    met, since = (x + 0.06 + course.radius, y + 0.02), s - course.event
    before, after = (-course.speed, -0.6 - course.rise), (course.speed, 1.2 - 2 * course.rise)
    return Moment(body, _flight(met, before if since < 0 else after, since, course.radius))


def dribble(s: float, course: Course) -> Moment:
    """The person runs and the ball rolls along at the feet."""
    steps = max(1.5, course.steps + 1)
    body = joints(_walking(s, steps))
    touch = abs(sin(2 * pi * steps * s))
    return Moment(body, (0.2 + 0.14 * touch, course.radius))


def juggle(s: float, course: Course) -> Moment:
    """The ball goes up and down above a foot that lifts to meet it."""
    count = 2.0 + course.rise
    turn = (s * count + course.event) % 1.0
    lifted = max(0.0, 1 - 4 * min(turn, 1 - turn))
    up = Pose(-0.08, 0.5, 0.5, 0.6, 0.5, 1.0, 0.75, -0.05, 0.12)
    body = joints(Pose(-0.02, 0.35, 0.5, 0.4, 0.5).towards(up, lifted))
    x, y = joints(up)["near_foot"]
    high = 0.25 + 0.35 * course.rise
    return Moment(body, (x + 0.04, y + 0.03 + course.radius + 4 * high * turn * (1 - turn)))


def roll_past(s: float, course: Course) -> Moment:
    """The ball rolls past a person who stands still."""
    body = joints(_walking(s, 0.0))
    return Moment(body, (course.side * 0.7 * course.speed * (s - course.event), course.radius))


def hold(s: float, course: Course) -> Moment:
    """The ball stays in both hands."""
    body = joints(_walking(s, course.steps, _HELD))
    return Moment(body, _in_hands(body, course.radius))


def no_contact(s: float, course: Course) -> Moment:
    """The ball is somewhere else all the time, at rest or bouncing."""
    body = joints(_walking(s, course.steps))
    bounce = abs(sin(pi * (1 + 2 * course.rise) * s)) * max(0.0, course.rise - 0.5)
    return Moment(body, (course.side * (0.65 + 0.5 * course.far), course.radius + bounce))


ACTIONS: dict[str, Callable[[float, Course], Moment]] = {
    "kick": kick,
    "throw": throw,
    "catch": catch,
    "header": header,
    "dribble": dribble,
    "juggle": juggle,
    "roll past": roll_past,
    "hold": hold,
    "miss": miss,
    "no contact": no_contact,
}
