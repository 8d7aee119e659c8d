"""What was seen to cost a server gigabytes, minutes or a crash: one line each, and cheap."""

import gc
import json
import os
import weakref

import pytest

from errors import AttentionVizError, CheckpointError, InputError, without_frames
from models import checkpoints
from tests.abuse.inputs import hostile
from tests.abuse.inputs.samples import sample
from tests.abuse.measured import measured
from viz.cli.main import main
from viz.figure import keypoints
from viz.figure.recipe import strict_json
from viz.media import footage
from viz.types import Sampling

pytestmark = pytest.mark.slow

SECONDS, MEGABYTES = 10, 300
CHECKPOINTS = {
    "stride_0": "declares tensors of 8.0 GB in a file of",
    "aliases": "declares tensors of 2.3 GB in a file of",
    "array_references": "declares tensors of",
    "unknown_bytes": "layer1.0.blob",
    "colliding_keys": "is damaged: its pickle cannot be followed",
    "copied_text": "pickle bomb",
    "copied_list": "pickle bomb",
    "shared_state": "far more parts",
}
MEDIA = {
    "many_scans": "JPEG of more than 100 scans",
    "empty_jpeg": "claims 13000 x 13000 pixels in",
    "empty_png": "claims 10000 x 10000 pixels in",
    "nameless": "holds an entry without a name",
}


@pytest.mark.parametrize(("case", "words"), CHECKPOINTS.items())
def test_a_hostile_checkpoint_is_refused_without_being_made(tmp_path, one_line, case, words):
    path = tmp_path / "x.pth"
    getattr(hostile, case)(path)
    with measured() as cost, pytest.raises(CheckpointError) as caught:
        checkpoints.inspect(path)
    assert words in one_line(caught.value)
    assert cost.seconds < SECONDS
    assert cost.megabytes < MEGABYTES


@pytest.mark.parametrize(("case", "words"), MEDIA.items())
def test_a_hostile_picture_is_refused_without_being_decoded(tmp_path, one_line, case, words):
    path = tmp_path / "x"
    getattr(hostile, case)(path)
    with measured() as cost, pytest.raises(AttentionVizError) as caught:
        footage.read(path.read_bytes(), "x.jpg")
    assert words in one_line(caught.value)
    assert cost.seconds < 1
    assert cost.megabytes < 50


def test_an_mp4_that_leads_round_in_itself_is_refused(one_line):
    with measured() as cost, pytest.raises(AttentionVizError, match="leads round") as caught:
        footage.read(sample("mp4") + sample("heic"), "x.mp4")
    one_line(caught.value)
    assert cost.seconds < 1


@pytest.mark.slow
def test_four_frames_of_40_megapixels_take_little_more_than_their_pixels(tmp_path):
    path = tmp_path / "x.zip"
    hostile.huge_frames(path)
    found = footage.read(path.read_bytes(), "x.zip")
    with measured() as cost:
        clip = found.sample(Sampling(4, 1, 0))
    pixels = clip.frames.nbytes / 2**20
    assert cost.megabytes < pixels + 600


def test_a_refusal_that_is_kept_does_not_keep_what_was_read():
    class Weights:
        pass

    def read():
        weights = Weights()
        seen.append(weakref.ref(weights))
        raise CheckpointError("It does not fit; give another one.")

    seen = []
    try:
        read()
    except CheckpointError as problem:
        kept = without_frames(problem)
        assert kept.__traceback__ is None
        assert kept.__context__ is None
    gc.collect()
    assert seen[0]() is None
    assert str(kept) == "It does not fit; give another one."


def test_a_name_that_occurs_twice_in_json_is_refused():
    with pytest.raises(InputError, match="'x' twice in one object"):
        strict_json.parsed('[{"name": "beak", "x": 1, "x": 2, "y": 3}]', "p.json", "points")
    with pytest.raises(InputError, match="'beak' twice"):
        keypoints.read_bytes(b'{"beak": [1, 2], "beak": [3, 4]}', "p.json")


LONG = "9" * 5000


@pytest.mark.parametrize(
    "arguments",
    [
        ["maps", "x.png", "--at", f"{LONG},5"],
        ["maps", "x.png", "--at", "5,5", "--frames", LONG],
        ["maps", "x.png", "--at", "5,5", "--frames", LONG[:4000]],
        ["inspect", LONG],
    ],
)
def test_long_numbers_are_not_repeated(capsys, arguments):
    try:
        code = main(arguments)
    except SystemExit as left:
        code = left.code
    said = capsys.readouterr().err
    assert code == 2
    assert "9" * 100 not in said
    assert len(said.splitlines()[-1]) < 700


@pytest.mark.parametrize("number", [LONG, LONG[:4000], "1e5000", "-" + LONG])
def test_long_numbers_in_files_are_not_repeated(number):
    for content in (f'[{{"name": "a", "x": {number}, "y": 1}}]', f"a,{number},1\n"):
        with pytest.raises(InputError) as caught:
            keypoints.read_bytes(content.encode(), "p")
        assert "9" * 100 not in str(caught.value)


@pytest.fixture(params=["pipe", "device"])
def endless(request, tmp_path):
    """A path that would be read for ever."""
    if request.param == "device":
        return "/dev/zero"
    os.mkfifo(tmp_path / "pipe")
    return str(tmp_path / "pipe")


def _arguments(kind, path, picture):
    given = {
        "input": ["maps", path, "--at", "5,5"],
        "checkpoint": ["inspect", path],
        "answers": ["inspect", "e2-nl", "--spec", path],
        "class names": ["maps", picture, "--at", "5,5", "--classes", path],
        "recipe": ["render", path, "-o", "x.png"],
        "truth": ["figure", "parts", picture, "--at", "5,5", "--truth", path, "-o", "x.png"],
        "font": ["figure", "parts", picture, "--at", "5,5", "--own-font", path, "-o", "x.png"],
    }
    return given[kind]


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "kind", ["input", "checkpoint", "answers", "class names", "recipe", "truth", "font"]
)
def test_pipes_and_devices_are_refused_wherever_a_file_is_given(
    tmp_path, capsys, monkeypatch, endless, kind
):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(_arguments(kind, endless, "example:bird"))
    except SystemExit as left:
        code = left.code
    said = capsys.readouterr().err
    assert code == 2, said
    assert "\n" not in said.strip() or "usage" in said
    assert json.dumps(said)
