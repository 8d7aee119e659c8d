"""Training on the trunk from cached features: it learns, resumes, writes what it trained."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open

from models.blocks.cgnl_block import CGNLBlock
from models.checkpoints import own
from models.checkpoints.trunks import LITE2, trunk_tensors
from models.specs.block import CGNLSpec
from scripts.training.lite import student, train, views
from scripts.training.lite.recipes import RECIPES

pytestmark = pytest.mark.slow

SHORT = {"views": 8, "polish": 0, "batch": 4, "block_first": 0.0}


def write_set(folder, name, count, shape, unit, labels=None, **beside):
    rng = np.random.default_rng(count)
    np.save(folder / f"{name}.unit{unit}.npy", rng.normal(0, 6, (count, *shape)).astype(np.float16))
    for part, values in beside.items():
        np.save(folder / f"{name}.{part}.npy", values)
    note = {"done": count, "labels": labels or []}
    (folder / f"{name}.json").write_text(json.dumps(note))


@pytest.fixture
def features(tmp_path):
    """A handful of random features of every set."""
    for name, count in (("birds-train", 8), ("birds-test", 3)):
        write_set(tmp_path, name, count, (120, 4, 4), 14, list(range(count)))
    for name, count in (("photos-train", 7), ("photos-test", 2)):
        write_set(tmp_path, name, count, (120, 4, 4), 14, list(range(count)))
    references = np.array([[0, 17]] * 3)
    matches = np.stack([np.full((2, 8), 5)] * 3)
    for name in ("clips-train", "clips-test"):
        write_set(tmp_path, name, 3, (8, 120, 4, 4), 14, references=references, matches=matches)
    return tmp_path


def started(name, features, **options):
    recipe = replace(RECIPES[name], **(SHORT | options))
    network = student.student_for(recipe)
    training = train.Training(recipe, views.Views(recipe, features, network), network)
    if network.places:
        student.start_blocks(network, training.views.train[0], recipe)
    return training


@pytest.mark.parametrize(
    "name", ["e2-birds-nl", "e2-nl", "e2-cgnl", "e2-clip-cgnl", "e2-nl-softmax"]
)
def test_a_run_changes_what_its_recipe_trains_and_nothing_else(name, features, tmp_path, capsys):
    training = started(name, features)
    recipe, trunk = training.recipe, trunk_tensors(LITE2)
    train.train(training, tmp_path / "run.pt", tell_every=4)
    assert training.seen == 8
    assert "label" in capsys.readouterr().out or recipe.data != "birds"
    path = tmp_path / "out.safetensors"
    own.write(path, training.network, [], "Title", trunk=LITE2)
    with safe_open(path, "pt") as file:
        keys = list(file.keys())
    units = {int(key.split(".")[1]) for key in keys if key.startswith("units.")}
    assert units == set(range(recipe.frozen + 1, recipe.trained + 1))
    state = training.network.state_dict()
    assert torch.equal(state["units.14.project.weight"], trunk["units.14.project.weight"])
    assert torch.equal(state["units.16.project_norm.running_var"],
                       trunk["units.16.project_norm.running_var"])  # fmt: skip
    assert own.load(path).spec == recipe.spec


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(features, tmp_path):
    whole = started("e2-birds-nl", features)
    half = started("e2-birds-nl", features)
    for _ in range(2):
        whole.step()
    half.step()
    train._save(half, tmp_path / "run.pt")
    resumed = started("e2-birds-nl", features)
    resumed.restore(tmp_path / "run.pt")
    resumed.step()
    assert resumed.seen == whole.seen
    assert torch.equal(resumed.draw.get_state(), whole.draw.get_state())
    other = started("e2-birds-nl", features, rate=1e-4)
    with pytest.raises(SystemExit, match="another recipe"):
        other.restore(tmp_path / "run.pt")


def test_units_wait_while_the_block_learns_first(features):
    training = started("e2-birds-nl", features, block_first=0.9)
    before = training.network.units[18].project.weight.clone()
    training.seen = 4
    training.step()
    assert torch.equal(training.network.units[18].project.weight, before)


def test_a_started_nl_block_adds_features_of_similar_positions(features):
    training = started("e2-birds-nl", features)
    block = training.network.block_at(training.network.places[0])
    x = training.views.train[0].batch(slice(0, 8))
    with torch.no_grad():
        added = block(x.unsqueeze(2)).squeeze(2) - x
    assert added.std().item() == pytest.approx(0.25 * x.std().item(), rel=0.4)
    assert torch.equal(block.projection.theta.weight, block.projection.phi.weight)
    assert torch.equal(block.expand.weight.flatten(1), block.projection.g.weight.flatten(1).T)


def test_a_started_cgnl_block_adds_what_its_thetas_say_of_its_channels(features):
    training = started("e2-birds-cgnl", features)
    block = training.network.block_at(training.network.places[0])
    assert torch.equal(block.projection.g.weight, block.projection.phi.weight)
    x = training.views.train[0].batch(slice(0, 8))
    with torch.no_grad():
        added = block(x.unsqueeze(2)).squeeze(2) - x
        products = block.projection.phi(x) * block.projection.g(x)
    assert added.std().item() == pytest.approx(0.25 * x.std().item(), rel=0.4)
    assert (products.unflatten(1, (8, -1)).sum((2, 3, 4)) > 0).all()
    assert torch.corrcoef(torch.stack([added.flatten(), x.flatten()]))[0, 1] > 0.2


def test_removing_the_block_is_what_block_false_does(features):
    training = started("e2-nl", features)
    x = training.views.train[0].batch(slice(0, 2))
    plain = student.student_for(replace(RECIPES["e2-nl"], block=None, placement="none"))
    with torch.no_grad():
        expected = views.pooled_of(plain, x, 14)
        torch.testing.assert_close(views.pooled_of(training.network, x, 14, block=False), expected)
        assert not torch.allclose(views.pooled_of(training.network, x, 14), expected)


def test_erasing_puts_the_mean_into_a_rectangle():
    x = torch.randn(5, 3, 14, 14)
    draw = torch.Generator().manual_seed(1)
    assert torch.equal(student.erase(x, 0.0, draw), x)
    erased = student.erase(x, 1.0, draw)
    changed = (erased != x).any(1)
    for index in range(5):
        rows, cols = changed[index].any(1).sum(), changed[index].any(0).sum()
        assert changed[index].sum() == rows * cols
        assert 1 <= rows <= 6
    mean = x.mean((2, 3))
    assert torch.allclose(erased[0][:, changed[0]], mean[0][:, None].expand(3, changed[0].sum()))


def test_following_is_cheaper_when_theta_phi_agree_with_the_matches():
    block = CGNLBlock(5, CGNLSpec(groups=1, reduction=1))
    for layer in (block.projection.theta, block.projection.phi):
        torch.nn.init.eye_(layer.weight.data.flatten(1))
        layer.weight.data = torch.eye(5)[:, :, None, None]
    clips = torch.zeros(1, 5, 2, 1, 3)
    for frame, order in enumerate(((0, 1, 2), (2, 0, 1))):
        for cell, channel in enumerate(order):
            clips[0, channel, frame, 0, cell] = 1
    references = torch.tensor([[0, 1, 2]])
    right = torch.tensor([[[0, 1], [1, 2], [2, 0]]])
    wrong = torch.tensor([[[0, 0], [1, 1], [2, 2]]])
    hidden = torch.full_like(right, -1)
    hidden[0, 0, 1] = 1
    with torch.no_grad():
        good, bad, one = (
            student.follow_loss(block, clips, references, matches).item()
            for matches in (right, wrong, hidden)
        )
    assert good < 0.1 < bad
    assert one == pytest.approx(good, abs=1e-4)


def test_the_schedule_warms_up_and_ends_at_zero():
    assert train.schedule(0.0, 0.05) == 0
    assert train.schedule(0.05, 0.05) == pytest.approx(1)
    assert train.schedule(1.0, 0.05) == pytest.approx(0, abs=1e-9)


def test_an_unfinished_cache_is_refused(features):
    note = features / "birds-train.json"
    note.write_text(json.dumps({"done": 3, "labels": [0] * 8}))
    with pytest.raises(SystemExit, match="3 of 8"):
        student.load_features(features, "birds-train", 14)


def test_frozen_units_behind_the_cache_are_run_once_and_kept(tmp_path):
    write_set(tmp_path, "birds-train", 3, (88, 4, 4), 10, [0, 1, 2])
    network = student.student_for(RECIPES["e2-birds-nl"])
    found = student.deepen(network, tmp_path, "birds-train", 14)
    assert (found.depth, found.values.shape) == (14, (3, 120, 4, 4))
    assert (tmp_path / "birds-train.unit14.npy").exists()
    x = student.load_features(tmp_path, "birds-train", 10).batch(slice(0, 3))
    with torch.no_grad():
        expected = network.run_units(x, 1, 11, 13)
        expected = network.units[14](expected, 1)
    torch.testing.assert_close(torch.from_numpy(np.array(found.values)).float(), expected,
                               rtol=1e-2, atol=1e-2)  # fmt: skip
