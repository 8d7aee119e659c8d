"""Rendered training clips and what is learnt from them."""

import numpy as np
import pytest
import torch

from models.blocks.layout import Grid
from models.build import build
from models.checkpoints import own
from models.loaded import LoadedModel
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing
from scripts.evaluation.evaluate_clips import ball_hits, ball_shares, other_frames, top_1
from scripts.evaluation.part_coverage import Tally
from scripts.training import clip_data, clip_training, export_bundled, train_bundled
from scripts.training.clip_data import LANDMARKS, NAMES, landmark_grid, render, render_batch
from scripts.training.clip_training import ClipLesson, ClipStudent, clip_spec, relation_loss
from scripts.training.training_run import Recipe, Run


@pytest.fixture(scope="module")
def photos():
    draw = np.random.default_rng(0)
    return [draw.integers(0, 256, (71, 89, 3), dtype=np.uint8) for _ in range(3)]


def tiny(block=None):
    return ModelSpec(
        base_width=8, block=block, placement="1" if block else "none", num_classes=len(NAMES),
        preprocessing=Preprocessing(size=64, resize=64, frames=8, frame_stride=4),
    )  # fmt: skip


@pytest.mark.parametrize("action", NAMES)
def test_every_action_is_rendered_with_its_landmarks(photos, action):
    frames, marks, event = render(np.random.default_rng(5), photos, action, 101)
    assert frames.shape == (8, 101, 101, 3)
    assert frames.dtype == np.uint8
    assert marks.shape == (8, len(LANDMARKS), 2)
    assert 0 <= event < 8


def test_a_clip_is_the_same_for_the_same_seed_and_another_for_another(photos):
    one, same, other = (
        render_batch(np.random.default_rng(seed), photos, 2, 64).frames for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_landmark_lights_its_own_cell_and_one_outside_lights_none():
    marks = np.full((1, 2, len(LANDMARKS), 2), -5.0, np.float32)
    marks[0, 1, 0] = (63.0, 17.0)
    grid = landmark_grid(marks, 70, 7)
    assert grid.shape == (1, len(LANDMARKS), 2, 7, 7)
    assert grid.nonzero().tolist() == [[0, 0, 1, 1, 6]]


def test_relations_are_told_only_where_the_ball_is_seen():
    marks = np.zeros((1, 2, len(LANDMARKS), 2), np.float32)
    marks[0, 0, :, :] = 50.0
    marks[0, 0, 1] = (60.0, 50.0)
    marks[0, 1, 0] = (-10.0, 50.0)
    right = torch.zeros(1, 2, len(LANDMARKS) - 1, 2)
    right[0, 0, 0, 0] = 10 / 100 / clip_training.FARTHEST
    right[0, 1] = 9.0
    assert relation_loss(right, marks, 100).item() == pytest.approx(0, abs=1e-6)
    assert relation_loss(right + 0.5, marks, 100) > 0.1


def test_a_clip_run_learns_saves_and_goes_on(photos, tmp_path, monkeypatch):
    monkeypatch.setattr(clip_training, "CLIPS_PER_BATCH", 4)
    recipe = Recipe("clips", crops=400, rate=2e-3, sides=((1.0, 64),), warm_up=0.01)
    torch.manual_seed(0)
    run = Run(recipe, ClipStudent(tiny()), tmp_path / "run.pt", torch.device("cpu"))
    lesson = ClipLesson(photos, 0)
    losses = [run.step(lesson)["landmarks"] for _ in range(8)]
    assert losses[-1] < losses[0]
    assert run.seen == 8 * 4
    run.save()
    again = Run(recipe, ClipStudent(tiny()), tmp_path / "run.pt", torch.device("cpu"))
    again.resume()
    assert again.seen == run.seen


def test_the_trunk_starts_from_the_birds_and_a_wrong_file_is_refused(tmp_path):
    spec = clip_spec(None, "none", 64)
    birds = build(ModelSpec(base_width=32, num_classes=3))
    path = tmp_path / "birds.safetensors"
    own.write(path, birds, ["a", "b", "c"], "Birds")
    student = ClipStudent(spec)
    clip_training.start_from_birds(student, path)
    assert torch.allclose(student.network.conv1.weight, birds.conv1.weight, atol=1e-3)
    wrong = tmp_path / "wrong.safetensors"
    own.write(wrong, build(ModelSpec(depth=18, num_classes=3)), ["a", "b", "c"], "Wrong")
    with pytest.raises((SystemExit, RuntimeError)):
        clip_training.start_from_birds(ClipStudent(spec), wrong)


@pytest.mark.parametrize("stage", train_bundled.CLIP_STAGES)
def test_every_clip_stage_builds_its_network(stage):
    student = train_bundled.clip_student(stage, 64)
    assert student.network.spec.preprocessing.frames == 8
    assert len(student.network.places) == (stage != "clips")


def test_hits_are_counted_over_the_ball_and_over_all_cells():
    hits = Tally()
    lit = torch.zeros(1, 10, dtype=torch.bool)
    lit[0, :4] = True
    hits.add(*ball_shares(lit, torch.tensor([0, 9])))
    assert (hits.covered, hits.area) == pytest.approx((0.5, 0.4))
    assert "lift 1.25" in hits.line()


def test_the_ball_is_looked_for_in_the_other_frames_and_counted_among_their_cells():
    marks = np.full((4, len(LANDMARKS), 2), -5.0)
    ball = LANDMARKS.index("ball")
    marks[0, ball] = (25.0, 3.0)  # of 3 x 3 cells of 10 pixels: row 0, column 2
    marks[1, ball] = (5.0, 5.0)  # the event's own frame
    marks[3, ball] = (15.0, 29.0)  # row 2, column 1
    outside, positions = other_frames(marks, 1, 30, Grid(4, 3, 3))
    assert outside.tolist() == [True] * 9 + [False] * 9 + [True] * 18
    assert positions.tolist() == [2, 9 + 9 + 7]
    outside, positions = other_frames(np.full_like(marks, -5.0), 1, 30, Grid(4, 3, 3))
    assert positions.tolist() == []


@pytest.mark.parametrize("block", [NonLocalSpec(bias=True), CGNLSpec(groups=8)])
def test_evaluation_counts_every_clip_and_every_method(photos, block, capsys):
    spec = tiny(block)
    model = LoadedModel("tiny", spec, build(spec).eval(), (), "")
    assert top_1(model, photos, 64, 20).sum() == 20
    totals = ball_hits(model, photos, 64, 2)
    assert "feature cosine" in totals
    assert any(
        name.startswith("NL" if isinstance(block, NonLocalSpec) else "CGNL") for name in totals
    )


def test_a_ball_is_painted_at_its_landmark(photos, monkeypatch):
    """The same clip with and without a ball differs around the landmark and nowhere else."""
    monkeypatch.setattr(clip_data, "_occlude", lambda *_: None)
    seen, marks, _event = render(np.random.default_rng(8), photos, "no contact", 101)
    monkeypatch.setattr(clip_data, "draw_ball", lambda *_: None)
    bare, _marks, _event = render(np.random.default_rng(8), photos, "no contact", 101)
    changed = np.abs(seen.astype(int) - bare).sum(-1) > 20
    for frame, (x, y) in zip(changed, marks[:, 0], strict=True):
        rows, cols = np.nonzero(frame)
        if len(rows):
            assert np.hypot(rows - y, cols - x).max() < 12
    assert changed.any()


def test_a_clip_run_is_exported_with_its_actions(tmp_path, monkeypatch, capsys):
    run = Run(
        Recipe("clips", 1, 1e-3), ClipStudent(tiny()), tmp_path / "run.pt", torch.device("cpu")
    )
    run.save()
    monkeypatch.setattr(export_bundled, "clip_student", lambda _stage, _side: ClipStudent(tiny()))
    out = tmp_path / "c2d.safetensors"
    monkeypatch.setattr("sys.argv", ["export", str(run.path), str(out), "--title", "C2D"])
    export_bundled.main()
    loaded = own.load(out)
    assert [loaded.class_name(k) for k in range(len(NAMES))] == list(NAMES)
    assert loaded.spec.preprocessing.frames == 8
    assert "after 0 crops" in capsys.readouterr().out
