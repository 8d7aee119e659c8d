"""Our measures beside those of Quantus and grad-cam on the same drawn maps
(``scripts.goldens.golden_measures`` wrote what they give)."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from models.blocks.layout import Grid
from models.loaded import LoadedModel
from scripts.goldens import golden_measures as golden
from viz.evaluation import coverage
from viz.evaluation.answers import faithfulness

GRID = Grid(1, golden.SIDE, golden.SIDE)
FOUND = json.loads((Path(__file__).parent / "golden_measures.json").read_text())
CASES = range(golden.CASES)
MAPS = torch.from_numpy(golden.maps()).flatten(1)
OBJECTS = torch.from_numpy(golden.objects()).flatten(1)


def subject():
    network, picture = golden.Corner(), golden.picture().unsqueeze(2)
    with torch.no_grad():
        logits = network(picture)[0]
    assert int(logits.argmax()) == 1
    return SimpleNamespace(
        model=LoadedModel("corner", None, network, (), ""),
        model_input=SimpleNamespace(tensor=picture),
        capture=SimpleNamespace(logits=logits),
        device=torch.device("cpu"),
    )


@pytest.mark.parametrize("k", CASES)
def test_the_pointing_game_is_quantus_on_the_object_and_the_cells_next_to_it(k):
    expected = FOUND["quantus PointingGame, one cell of tolerance"][k]
    assert float(coverage.hit(MAPS[k], GRID, OBJECTS[k])) == expected


def test_some_maps_hit_and_some_miss():
    assert set(FOUND["quantus PointingGame, one cell of tolerance"]) == {0.0, 1.0}


@pytest.mark.parametrize("k", CASES)
def test_the_energy_is_quantus_attribution_localisation(k):
    expected = FOUND["quantus AttributionLocalisation"][k]
    assert float(coverage.energy_inside(MAPS[k], OBJECTS[k])) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("k", CASES)
def test_deletion_is_the_area_under_quantus_pixel_flipping(k):
    one = subject()
    start = one.capture.logits.softmax(0)[1].item()
    curve = torch.tensor([start, *FOUND["quantus PixelFlipping"][k]])
    found = faithfulness.deletion(one, MAPS[k], GRID)
    assert found == pytest.approx(float(torch.trapezoid(curve)) / golden.STEPS, rel=1e-5)


@pytest.mark.parametrize("k", CASES)
def test_road_is_grad_cams_within_its_noise(k):
    expected = FOUND["grad-cam ROADCombined"][k]
    assert faithfulness.road(subject(), MAPS[k], GRID) == pytest.approx(expected, abs=2e-3)
