"""The ten actions: what tells them apart is where the ball is to the body."""

from math import hypot

import numpy as np
import pytest

from viz.examples.actions import ACTIONS, Course

SHARES = np.linspace(0, 1, 41)
COURSE = Course(event=0.5)


def gap(moment, joint):
    (x, y), (u, v) = moment.ball, moment.body[joint]
    return hypot(x - u, y - v)


def nearest(action, joint, course=COURSE):
    """The least distance of the ball to a joint over the clip, and when."""
    gaps = [gap(ACTIONS[action](s, course), joint) for s in SHARES]
    return min(gaps), SHARES[int(np.argmin(gaps))]


def test_there_are_ten():
    assert len(ACTIONS) == 10


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("event", [0.33, 0.67])
def test_every_moment_is_finite_and_the_ball_never_sinks_into_the_ground(action, event):
    course = Course(event=event, rise=1.0, side=-1, radius=0.09)
    for share in SHARES:
        moment = ACTIONS[action](share, course)
        assert moment.ball[1] >= course.radius - 1e-9
        assert np.isfinite([*moment.ball, *np.ravel(list(moment.body.values()))]).all()


@pytest.mark.parametrize(
    ("action", "joint"), [("kick", "near_foot"), ("header", "head"), ("catch", "near_hand")]
)
def test_the_ball_meets_the_body_at_the_event(action, joint):
    least, when = nearest(action, joint)
    assert least < 0.2
    assert when == pytest.approx(0.5, abs=0.06)


def test_a_kicked_ball_rests_before_and_is_far_away_after():
    before, after = (ACTIONS["kick"](s, COURSE).ball for s in (0.1, 0.9))
    assert before == ACTIONS["kick"](0.45, COURSE).ball
    assert after[0] > before[0] + 1.0


def test_a_miss_has_the_legs_of_a_kick_but_the_ball_stays_where_it_was():
    for share in SHARES:
        missed, kicked = (ACTIONS[name](share, COURSE) for name in ("miss", "kick"))
        assert missed.body == kicked.body
        assert missed.ball == ACTIONS["miss"](0.0, COURSE).ball
    assert nearest("miss", "near_foot")[0] > 0.2


def test_a_thrown_ball_leaves_the_hand_and_a_held_one_never_does():
    assert gap(ACTIONS["throw"](0.3, COURSE), "near_hand") < 0.1
    assert gap(ACTIONS["throw"](0.9, COURSE), "near_hand") > 0.8
    assert max(gap(ACTIONS["hold"](s, COURSE), "near_hand") for s in SHARES) < 0.15


def test_a_juggled_ball_goes_up_and_comes_back_to_the_foot():
    heights = [ACTIONS["juggle"](s, COURSE).ball[1] for s in SHARES]
    turns = np.sum((np.diff(heights)[:-1] > 0) & (np.diff(heights)[1:] <= 0))
    assert turns >= 2


def test_a_ball_rolling_past_crosses_the_body_and_one_without_contact_never_comes_near():
    xs = [ACTIONS["roll past"](s, COURSE).ball[0] for s in SHARES]
    assert min(xs) < -0.5
    assert max(xs) > 0.5
    assert min(nearest("no contact", j)[0] for j in ("near_foot", "near_hand", "head")) > 0.3
