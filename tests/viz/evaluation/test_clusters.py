"""Parts as clusters: agreement, centroids and regression against hand-worked answers."""

import pytest
import torch

from viz.evaluation import clusters


def test_agreement_of_equal_and_of_unrelated_labels():
    first = torch.tensor([0, 0, 1, 1, 2, 2])
    assert clusters.agreement(first, 2 - first) == pytest.approx((100, 100))
    nmi, ari = clusters.agreement(torch.tensor([0, 0, 1, 1]), torch.tensor([0, 1, 0, 1]))
    assert nmi == pytest.approx(0, abs=1e-9)
    assert ari == pytest.approx(-50)


def test_clusters_find_directions():
    noise = torch.randn(30, 3, generator=torch.Generator().manual_seed(0))
    vectors = torch.eye(3).repeat_interleave(10, 0) + 0.01 * noise
    found = set()
    for seed in range(8):  # a random start may put two centroids into one direction
        centroids = clusters.kmeans(vectors, 3, seed)
        found.add(len(set((vectors @ centroids.T).argmax(1)[::10].tolist())))
    assert max(found) == 3


def test_nmi_and_ari_are_those_of_the_definition():
    draw = torch.Generator().manual_seed(5)
    first, second = (torch.randint(0, k, (97,), generator=draw) for k in (5, 3))
    table = torch.zeros(5, 3, dtype=torch.float64)
    for one, other in zip(first, second, strict=True):
        table[one, other] += 1
    joint = table / 97
    rows, cols = joint.sum(1), joint.sum(0)
    inside = joint > 0
    mutual = (joint[inside] * (joint / (rows[:, None] * cols))[inside].log()).sum()
    mean_entropy = -((rows * rows.log()).sum() + (cols * cols.log()).sum()) / 2
    pairs, by_row, by_col = ((n * (n - 1) / 2).sum() for n in (table, table.sum(1), table.sum(0)))
    chance = by_row * by_col / (97 * 96 / 2)
    ari = (pairs - chance) / ((by_row + by_col) / 2 - chance)
    found = clusters.agreement(first, second)
    assert found == pytest.approx((100 * float(mutual / mean_entropy), 100 * float(ari)))


def test_centroids_are_the_middles_of_cells():
    maps = torch.zeros(2, 15)
    maps[0, 7] = 2.0  # row 1, column 2 of 3 x 5
    maps[1, [0, 4]] = 1.0
    found = clusters.centroids(maps, 3, 5)
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5], [0.5, 1 / 6]]))


def test_points_that_are_linear_in_the_centroids_are_met_and_unseen_ones_left_out():
    draw = torch.Generator().manual_seed(3)
    features = torch.rand(11, 4, generator=draw)
    points = (features @ torch.rand(4, 6, generator=draw) + 0.3).unflatten(1, (3, 2))
    points[2, 1] = torch.nan
    points[9] = torch.nan
    train = torch.arange(11) < 7
    found = clusters.regression_error(features, points, train, torch.full((11,), 2.0))
    assert found[:7].isnan().all()
    assert found[9].isnan()
    assert found[[7, 8, 10]].abs().max() < 1e-5
    points[7] += torch.tensor([3.0, 4.0])
    moved = clusters.regression_error(features, points, train, torch.full((11,), 2.0))
    assert moved[7] == pytest.approx(2.5, abs=1e-4)


def test_part_maps_are_the_scaled_means_over_references():
    sample = torch.tensor([[[1.0, -3.0, 0.0], [1.0, 1.0, 0.0]], [[2.0, 2.0, 2.0]] * 2])
    torch.testing.assert_close(
        clusters.part_maps(sample), torch.tensor([[0.5, 1.0, 0.0], [0.0, 0.0, 0.0]])
    )


@pytest.mark.parametrize(
    ("at", "correct"),
    [((10.0, 10.0), True), ((14.9, 10.0), True), ((15.1, 10.0), False), ((14.0, 14.0), False)],
)
def test_a_match_is_correct_within_a_tenth_of_the_box(at, correct):
    assert clusters.is_correct_match(at, (10.0, 10.0), 50.0) is correct
