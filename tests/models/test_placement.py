"""Where blocks stand: the published tables, and what must hold for every depth."""

import pytest

from models.placement import Place, places
from models.specs import RESNET_UNITS

TABLE = {
    (50, "1"): "res4.4",
    (101, "1"): "res4.21",
    (152, "1"): "res4.34",
    (50, "1-after"): "res4.5",
    (101, "1-after"): "res4.22",
    (152, "1-after"): "res4.35",
    (50, "5"): "res3.1 res3.3 res4.1 res4.3 res4.5",
    (101, "5"): "res3.1 res3.3 res4.6 res4.13 res4.20",
    (152, "5"): "res3.3 res3.7 res4.11 res4.23 res4.35",
    (50, "none"): "",
}


@pytest.mark.parametrize(("depth", "placement"), TABLE)
def test_blocks_stand_where_the_table_says(depth, placement):
    assert " ".join(p.label for p in places(depth, placement)) == TABLE[depth, placement]


@pytest.mark.parametrize("placement", ["1", "1-after", "5"])
@pytest.mark.parametrize("depth", RESNET_UNITS)
def test_places_exist_in_order_and_once(depth, placement):
    found = places(depth, placement)
    assert list(found) == sorted(set(found))
    assert all(0 <= p.unit < RESNET_UNITS[depth][p.stage - 2] for p in found)


def test_a_place_has_a_name_for_people_and_one_for_state_dicts():
    assert (Place(4, 10).label, Place(4, 10).key) == ("res4.10", "res4_10")
