"""The drawn person: joints by hand-worked angles, and pixels where the joints are."""

from math import hypot, pi

import numpy as np
import pytest

from viz.examples.stick_figure import (
    FOREARM,
    SHIN,
    THIGH,
    TORSO,
    UPPER_ARM,
    Outfit,
    Pose,
    Stand,
    draw_ball,
    draw_person,
    joints,
)

STRAIGHT = Pose(*[0.0] * 10)


def distance(a, b):
    return hypot(a[0] - b[0], a[1] - b[1])


def test_a_straight_pose_stands_upright_on_the_ground():
    body = joints(STRAIGHT)
    assert all(x == pytest.approx(0) for x, _y in body.values())
    assert body["near_foot"][1] == pytest.approx(0.02)
    assert body["hip"][1] - body["near_foot"][1] == pytest.approx(THIGH + SHIN)
    assert body["head"][1] > body["shoulder"][1] > body["near_hand"][1] > body["near_knee"][1]


def test_a_raised_leg_points_forward_and_the_other_foot_carries_the_body():
    body = joints(Pose(near_hip=pi / 2, near_knee=0, far_hip=0, far_knee=0))
    assert body["near_foot"] == pytest.approx((THIGH + SHIN, body["hip"][1]))
    assert body["far_foot"][1] == pytest.approx(0.02)


@pytest.mark.parametrize("pose", [Pose(), Pose(0.4, 2.1, 1.3, -0.7, 0.2, 1.1, 0.9, -0.5, 1.3, 0.2)])
def test_limbs_keep_their_length_in_every_pose(pose):
    body = joints(pose)
    for side in ("near", "far"):
        assert distance(body["hip"], body[f"{side}_knee"]) == pytest.approx(THIGH)
        assert distance(body[f"{side}_knee"], body[f"{side}_foot"]) == pytest.approx(SHIN)
        assert distance(body["shoulder"], body[f"{side}_elbow"]) == pytest.approx(UPPER_ARM)
        assert distance(body[f"{side}_elbow"], body[f"{side}_hand"]) == pytest.approx(FOREARM)
    assert distance(body["hip"], body["shoulder"]) == pytest.approx(TORSO)


def test_half_way_between_two_poses_is_their_mean():
    half = Pose(near_hip=0.2).towards(Pose(near_hip=1.0), 0.5)
    assert half.near_hip == pytest.approx(0.6)
    assert Pose().towards(Pose(jump=1.0), 0.0) == Pose()


def test_who_faces_left_is_the_mirror_image():
    left, right = np.zeros((97, 131, 3), np.uint8), np.zeros((97, 131, 3), np.uint8)
    body, outfit = joints(Pose(near_hip=0.7, near_shoulder=1.2)), Outfit()
    draw_person(right, body, Stand(65.0, 90.0, 80.0, 1), outfit)
    draw_person(left, body, Stand(65.0, 90.0, 80.0, -1), outfit)
    assert np.abs(right[:, ::-1].astype(int) - left).mean() < 1.0
    assert np.abs(right.astype(int) - left).mean() > 2.0


def test_the_ball_is_painted_where_it_is_and_nowhere_else():
    frame = np.zeros((89, 101, 3), np.uint8)
    stand, outfit = Stand(31.0, 83.0, 70.0), Outfit(ball_radius=0.1)
    draw_ball(frame, (0.5, 0.4), stand, outfit)
    x, y = stand.pixel((0.5, 0.4))
    rows, cols = np.nonzero(frame.sum(2))
    assert abs(cols.mean() - x) < 1
    assert abs(rows.mean() - y) < 1
    assert cols.max() - cols.min() == pytest.approx(14, abs=2)
