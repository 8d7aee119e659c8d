"""The training script on a handful of drawn images: it learns, saves, resumes, starts blocks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from errors import CheckpointError
from models.blocks.layout import Grid
from models.build import build
from models.checkpoints import own
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing
from scripts.training import distillation, train_bundled, training_run, weight_averaging
from scripts.training.bird_data import Birds
from scripts.training.block_init import (
    block_inputs,
    principal_directions,
    spherical_kmeans,
    start_block,
)
from scripts.training.distillation import Distillation, Student, bird_distillation
from scripts.training.linear_probe import Probe
from scripts.training.teacher import Teacher
from scripts.training.training_run import BirdLesson, Recipe, Run, rate_at, side_at
from scripts.training.weight_averaging import Meetings


@pytest.fixture(scope="module")
def teacher_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a random teacher with the real layer table and 13 classes."""
    rng = np.random.default_rng(0)
    arrays, channels = {}, 32

    def layer(out: int, inside: int, kernel: int) -> None:
        index = len(arrays) // 2
        scale = (2 / (inside * kernel * kernel)) ** 0.5
        weight = rng.normal(0, scale, (out, inside, kernel, kernel))
        arrays[f"{index:02d}.w"] = weight.astype(np.float16)
        arrays[f"{index:02d}.b"] = np.zeros(out, np.float32)

    layer(32, 3, 3)
    blocks = ((1, 16, 1), (6, 24, 2), (6, 32, 3), (6, 64, 4), (6, 96, 3), (6, 160, 3), (6, 320, 1))
    for expansion, out, repeats in blocks:
        for _ in range(repeats):
            if expansion > 1:
                layer(channels * expansion, channels, 1)
            layer(channels * expansion, 1, 3)
            layer(out, channels * expansion, 1)
            channels = out
    layer(1280, 320, 1)
    layer(13, 1280, 1)
    path = tmp_path_factory.mktemp("teacher") / "teacher.npz"
    np.savez(path, **arrays)
    return path


def drawn_birds(count: int = 12) -> Birds:
    """Two classes told apart by colour."""
    draw = torch.Generator().manual_seed(0)
    images = torch.randint(0, 90, (count, 3, 48, 48), generator=draw, dtype=torch.uint8)
    labels = torch.arange(count) % 2
    images[labels == 1, 0] += 150
    return Birds(images, labels, list(range(count)), ["green", "red"])


def tiny_spec(block: NonLocalSpec | CGNLSpec | None = None) -> ModelSpec:
    return ModelSpec(
        base_width=8,
        block=block,
        placement="1" if block else "none",
        num_classes=2,
        preprocessing=Preprocessing(size=64, resize=64),
    )


def test_the_teacher_has_stride_16_features_and_pads_as_tensorflow_does(teacher_file):
    teacher = Teacher(teacher_file)
    out = teacher(torch.rand(2, 3, 64, 96))
    assert out.dense.shape == (2, 96, 4, 6)
    assert out.pooled.shape == (2, 1280)
    assert out.logits.shape == (2, 13)
    # A stride-2 3x3 pads right and bottom only: the first output sees pixels 0 to 2.
    picture = torch.full((1, 3, 32, 32), 0.5)
    marked = picture.clone()
    marked[..., 2, 2] = 1
    stem = [teacher.stem(p * 2 - 1) for p in (picture, marked)]
    assert (stem[0] - stem[1])[0, :, 0, 0].abs().sum() > 0


def test_a_run_learns_saves_and_resumes_at_the_same_crop(teacher_file, tmp_path, monkeypatch):
    monkeypatch.setattr(distillation, "IMAGENET_LOGITS", 13)
    monkeypatch.setattr(distillation, "BIRD_LOGITS", 13)
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)
    for name in ("mnv2_imagenet.npz", "mnv2_inatbird.npz"):
        (tmp_path / name).write_bytes(teacher_file.read_bytes())
    birds, photos = drawn_birds(), drawn_birds().images
    recipe = Recipe("trunk", crops=480, rate=2e-3, sides=((1.0, 32),))
    torch.manual_seed(0)
    run = Run(recipe, Student(tiny_spec()), tmp_path / "run.pt", torch.device("cpu"))
    lesson = BirdLesson(birds, photos, Distillation(tmp_path))
    losses = [run.step(lesson)["label"] for _ in range(8)]
    assert losses[-1] < losses[0]
    run.save()
    again = Run(recipe, Student(tiny_spec()), tmp_path / "run.pt", torch.device("cpu"))
    again.resume()
    assert again.seen == run.seen == 8 * 48
    first, second = (r.step(lesson)["label"] for r in (run, again))
    assert first == pytest.approx(second, rel=1e-4)


def test_theta_and_phi_learn_slowly_and_without_decay():
    student = Student(tiny_spec(NonLocalSpec(bias=True)))
    recipe = Recipe("nl", crops=1, rate=1.0)
    groups = training_run.parameter_groups(student, recipe)
    projection = student.network.block_at(student.network.places[0]).projection
    slow = {id(p) for p in groups[2]["params"]}
    assert slow == {id(p) for m in (projection.theta, projection.phi) for p in m.parameters()}
    assert groups[2]["scale"] == recipe.projection_rate
    assert groups[2]["weight_decay"] == groups[1]["weight_decay"] == 0
    assert sum(len(g["params"]) for g in groups) == len(list(student.parameters()))


def test_the_rate_warms_up_and_falls_to_nothing_and_sides_follow_their_steps():
    recipe = Recipe("trunk", crops=100, rate=2.0, sides=((0.8, 96), (1.0, 128)))
    assert rate_at(0.0, recipe) == 0
    assert rate_at(recipe.warm_up, recipe) == pytest.approx(2.0)
    assert rate_at(1.0, recipe) == pytest.approx(0, abs=1e-6)
    assert [side_at(s, recipe) for s in (0, 0.79, 0.8, 0.999)] == [96, 96, 128, 128]


@pytest.mark.parametrize("block", [NonLocalSpec(bias=True), CGNLSpec(groups=8)])
def test_a_started_block_compares_its_input_by_similarity_and_is_still_the_identity(block, capsys):
    torch.manual_seed(1)
    network = build(tiny_spec(block))
    plain = build(tiny_spec())
    network.load_state_dict(plain.state_dict(), strict=False)
    start_block(network, drawn_birds().images, deviation=3.0, seed=0)
    module = network.block_at(network.places[0])
    assert torch.equal(module.projection.theta.weight, module.projection.phi.weight)
    x = torch.randn(1, 3, 1, 64, 64)
    with torch.no_grad():
        assert torch.equal(network(x), plain(x))
    features = block_inputs(network, drawn_birds().images, 0)
    clip = features[:35].T.reshape(1, -1, 1, 5, 7)
    with torch.no_grad():
        factors = module.projection(clip)
    if isinstance(block, NonLocalSpec):
        assert factors.query_grid == Grid(1, 5, 7)
        logits = factors.queries[0] @ factors.keys[0].T * module.pairwise.scale
        assert 1.0 < logits.std() < 9.0
    else:
        assert factors.theta.std() == pytest.approx(1, rel=0.5)


def test_principal_directions_are_those_of_the_covariance():
    torch.manual_seed(2)
    features = torch.randn(500, 5) * torch.tensor([5.0, 1, 3, 0.1, 0.5]) + 7
    directions = principal_directions(features, 2).abs()
    assert directions[0].argmax() == 0
    assert directions[1].argmax() == 2
    torch.testing.assert_close(directions.norm(dim=1), torch.ones(2))


def test_spherical_kmeans_finds_directions_that_are_there():
    torch.manual_seed(3)
    axes = torch.eye(3)
    features = torch.cat([a * s + 0.01 * torch.randn(60, 3) for a in axes for s in (4.0,)])
    centroids = spherical_kmeans(features, 9, seed=1)
    centred = torch.nn.functional.normalize(axes - axes.mean(0), dim=1)
    assert ((centroids @ centred.T).amax(0) > 0.98).all()


def test_a_run_can_go_on_from_a_bundled_weight_file(tmp_path):
    torch.manual_seed(4)
    written, fresh = (
        build(tiny_spec(NonLocalSpec(bias=True))),
        build(tiny_spec(NonLocalSpec(bias=True))),
    )
    own.write(tmp_path / "a.safetensors", written, ["x", "y"], "a test")
    train_bundled.start_from(fresh, tmp_path / "a.safetensors")
    weights = zip(written.parameters(), fresh.parameters(), strict=True)
    assert all(torch.equal(a.half().float(), b) for a, b in weights)
    with pytest.raises(CheckpointError):
        train_bundled.start_from(build(tiny_spec()), tmp_path / "a.safetensors")


def test_the_finishing_stage_learns_from_birds_and_the_probe_and_keeps_the_probe(
    teacher_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(distillation, "BIRD_LOGITS", 13)
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)
    (tmp_path / "mnv2_inatbird.npz").write_bytes(teacher_file.read_bytes())
    birds, kept = drawn_birds(), tmp_path / "probe.pt"
    distil = bird_distillation(tmp_path, kept, birds, 32)
    recipe = Recipe("trunk", crops=480, rate=2e-3, sides=((1.0, 32),), finish=True)
    torch.manual_seed(0)
    run = Run(recipe, Student(tiny_spec()), tmp_path / "run.pt", torch.device("cpu"))
    losses = [run.step(BirdLesson(birds, birds.images, distil)) for _ in range(8)]
    assert losses[-1]["probe"] < losses[0]["probe"]
    assert run.seen == 8 * 48
    again = bird_distillation(tmp_path, kept, birds, 32)
    assert again.probe.weight.equal(distil.probe.weight)


def test_the_probe_tells_the_training_classes_apart(teacher_file, tmp_path, monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda module, **_: module)
    (tmp_path / "mnv2_inatbird.npz").write_bytes(teacher_file.read_bytes())
    birds = drawn_birds()
    distil = bird_distillation(tmp_path, tmp_path / "probe.pt", birds, 32)
    crops = torch.nn.functional.interpolate(birds.images.float() / 255, size=(32, 32))
    logits = distil.probe.logits(distil.teacher(crops).pooled)
    assert logits.argmax(1).eq(birds.labels).float().mean() > 0.75


def test_the_probe_folds_its_standardisation_in():
    probe = Probe(torch.tensor([[2.0, 0.0], [0.0, 3.0]]), torch.tensor([1.0, -1.0]))
    assert probe.logits(torch.tensor([[1.0, 1.0]])).tolist() == [[3.0, 2.0]]


def test_alone_every_step_is_a_meeting():
    assert Meetings(1).hold(torch.nn.Linear(2, 2), 48) == (True, 48)


def test_processes_meet_when_it_is_time_and_take_the_mean(monkeypatch):
    other = torch.nn.Linear(2, 2)
    student = torch.nn.Linear(2, 2)
    with torch.no_grad():
        for value in student.parameters():
            value.fill_(1.0)
        for value in other.parameters():
            value.fill_(3.0)

    def all_reduce(flat):
        theirs = [v.flatten() for v in other.state_dict().values()]
        flat += torch.cat([*theirs, torch.tensor([144.0])])

    monkeypatch.setattr(weight_averaging.dist, "all_reduce", all_reduce)
    meetings = Meetings(2)
    assert meetings.hold(student, 48) == (False, 48)
    monkeypatch.setattr(weight_averaging.time, "time", lambda: meetings.next + 1)
    due = meetings.next
    assert meetings.hold(student, 48) == (True, 96)
    assert meetings.next == due + weight_averaging.MEET_EVERY_S
    assert all(value.eq(2.0).all() for value in student.parameters())
