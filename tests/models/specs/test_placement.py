"""Where blocks stand: the published tables, and what must hold for every depth."""

import pytest

from errors import SpecError
from models.specs.network import RESNET_UNITS
from models.specs.placement import Place, places

TEN_OF_R50 = "res3.0 res3.1 res3.2 res3.3 res4.0 res4.1 res4.2 res4.3 res4.4 res4.5"
TABLE = {
    (50, "1"): "res4.4",
    (101, "1"): "res4.21",
    (152, "1"): "res4.34",
    (18, "1"): "res4.0",
    (50, "1-after"): "res4.5",
    (101, "1-after"): "res4.22",
    (152, "1-after"): "res4.35",
    (34, "1-after"): "res4.5",
    (50, "5"): "res3.1 res3.3 res4.1 res4.3 res4.5",
    (101, "5"): "res3.1 res3.3 res4.6 res4.13 res4.20",
    (152, "5"): "res3.3 res3.7 res4.11 res4.23 res4.35",
    (50, "10"): TEN_OF_R50,
    (101, "10"): "res3.0 res3.1 res3.2 res3.3 res4.2 res4.6 res4.10 res4.14 res4.18 res4.22",
    (152, "10"): "res3.1 res3.3 res3.5 res3.7 res4.5 res4.11 res4.17 res4.23 res4.29 res4.35",
    (50, "none"): "",
    (18, "none"): "",
    (50, ("res4.1", "res2.0", "res3.3")): "res2.0 res3.3 res4.1",
    (101, ("res4.22", "res4.9")): "res4.9 res4.22",
    (50, ("res4.1", "res3.0", "res4.1")): "res3.0 res4.1",
    (50, ()): "",
}


@pytest.mark.parametrize(("depth", "placement"), TABLE)
def test_blocks_stand_where_the_table_says(depth, placement):
    assert " ".join(p.label for p in places(depth, placement)) == TABLE[depth, placement]


CASES = [(depth, placement) for depth in RESNET_UNITS for placement in ("1", "1-after")]
DEEP = [(depth, placement) for depth in (50, 101, 152) for placement in ("5", "10")]


@pytest.mark.parametrize(("depth", "placement"), CASES + DEEP)
def test_places_exist_in_order_and_once(depth, placement):
    found = places(depth, placement)
    assert list(found) == sorted(set(found))
    assert all(0 <= p.unit < RESNET_UNITS[depth][p.stage - 2] for p in found)
    if placement in ("5", "10"):
        assert len(found) == int(placement)


@pytest.mark.parametrize("placement", ["5", "10"])
@pytest.mark.parametrize("depth", [14, 18, 20, 34])
def test_tables_that_no_paper_gives_are_refused_in_one_line(depth, placement, one_line):
    with pytest.raises(SpecError, match=f"ResNet-{depth}.*50, 101 and 152") as caught:
        places(depth, placement)
    one_line(caught.value)


@pytest.mark.parametrize(
    "label",
    [
        "res4.6",
        "res6.0",
        "res1.0",
        "res4",
        "res4.",
        "res4.-1",
        "res4.²",
        "",
        "nl_1",
        3,
        None,
        (4, 1),
    ],
    ids=repr,
)
def test_a_place_that_the_network_lacks_is_refused_with_those_it_has(label, one_line):
    with pytest.raises(SpecError, match="res4.0 to res4.5") as caught:
        places(50, ("res4.4", label))
    one_line(caught.value)


def test_a_place_has_a_name_for_people_and_one_for_state_dicts():
    assert (Place(4, 10).label, Place(4, 10).key) == ("res4.10", "res4_10")
