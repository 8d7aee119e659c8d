"""``maps`` on clips that the test draws: strips, movies, arrays, and one line for what is wrong."""

import io
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

import viz
from models.specs.block import CGNLSpec, NonLocalSpec
from models.zoo import catalogue
from tests.conftest import assert_one_line, draw, make_tiny
from viz.attention import pipeline
from viz.cli import main
from viz.cli import maps as maps_command
from viz.figure.recipe import recipe_json
from viz.media import footage
from viz.types import Sampling

FRAMES, FPS = 24, 10
FILES = ["clip-NL.mp4", "clip-NL.png", "heat", "maps.npz", "recipe.json"]


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_pages")]


@pytest.fixture(autouse=True)
def _small_network(monkeypatch, nl_model):
    monkeypatch.setattr(catalogue, "load", lambda *_args, **_how: nl_model)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    path = tmp_path / "clip.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 160, 96, "bgr0"
        for picture in draw(96, 160, FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return path


def maps(path: Path, out: Path, *more: str) -> int:
    asked = ["maps", str(path), "--model", "tiny", "--at", "80,40", "--out", str(out)]
    return main.main([*asked, "--frames", "4", "--step", "3", *more])


def test_a_clip_gives_a_picture_a_movie_arrays_and_a_recipe(clip, tmp_path, capsys):
    out = tmp_path / "o"
    assert maps(clip, out, "--frame", "2", "--video", "mp4", "--arrows", "5") == 0
    assert sorted(p.name for p in out.iterdir()) == FILES
    printed = capsys.readouterr()
    # Ten frames are spanned, so 14 are left: the clip starts at frame 7.
    assert "frame 2 of 4, at 1.30 s, number 13 of the footage" in printed.out
    assert printed.err == ""
    with Image.open(out / "clip-NL.png") as picture:
        assert picture.width == int(183 / 25.4 * 60)
    with av.open(str(out / "clip-NL.mp4")) as movie:
        times = [frame.time for frame in movie.decode(video=0)]
    assert times == pytest.approx([0, 0.3, 0.6, 0.9], abs=1e-3)


def test_the_numbers_are_those_of_the_python_call(clip, tmp_path, nl_model):
    assert maps(clip, tmp_path / "o", "--frame", "1") == 0
    taken = footage.load(clip).sample(Sampling(4, 3))
    row = viz.row(viz.capture(nl_model, taken), (80, 40), frame=1)
    with np.load(tmp_path / "o" / "maps.npz", allow_pickle=False) as arrays:
        np.testing.assert_allclose(arrays["values"][0], row.values, rtol=1e-5, atol=1e-7)
        assert arrays["numbers"].tolist() == [7, 10, 13, 16]
        assert arrays["timestamps"] == pytest.approx([0.7, 1.0, 1.3, 1.6], abs=1e-3)
        assert (arrays["frame"], arrays["cell"][0]) == (1, 1)
    (reference,) = recipe_json.loads((tmp_path / "o" / "recipe.json").read_bytes()).references
    assert reference.medium.frames == (7, 10, 13, 16)
    assert reference.frame == 1


def test_frames_are_chosen_by_start_and_in_seconds(clip, tmp_path):
    assert maps(clip, tmp_path / "a", "--start", "2") == 0
    assert maps(clip, tmp_path / "b", "--unit", "seconds", "--step", "0.4", "--start", "0.2") == 0
    numbers = [np.load(tmp_path / n / "maps.npz")["numbers"].tolist() for n in "ab"]
    assert numbers == [[2, 5, 8, 11], [2, 6, 10, 14]]


def test_without_options_the_network_says_which_frames(clip, tmp_path, nl_model):
    out = tmp_path / "o"
    asked = ["maps", str(clip), "--model", "tiny", "--at", "80,40", "--out", str(out)]
    assert main.main(asked) == 0
    expected = footage.load(clip).numbers(pipeline.sampling_for(nl_model.spec))
    assert np.load(out / "maps.npz")["numbers"].tolist() == list(expected)


def test_a_folder_of_frames_and_a_gif_are_clips(tmp_path):
    pictures = [Image.fromarray(p) for p in draw(64, 96, 5)]
    folder = tmp_path / "frames"
    folder.mkdir()
    for k, picture in enumerate(pictures):
        picture.save(folder / f"{k}.png")
    pictures[0].save(
        tmp_path / "b.gif", save_all=True, append_images=pictures[1:], duration=100, loop=0
    )
    for path, stem in ((folder, "frames"), (tmp_path / "b.gif", "b")):
        out = tmp_path / f"out-{stem}"
        assert maps(path, out, "--step", "1", "--video", "gif,webp", "--frame", "3") == 0
        assert {f"{stem}-NL.{kind}" for kind in ("png", "gif", "webp")} <= {
            p.name for p in out.iterdir()
        }
        with Image.open(io.BytesIO((out / f"{stem}-NL.gif").read_bytes())) as reel:
            assert reel.n_frames == 4


@pytest.fixture
def network(request, monkeypatch):
    """The network of a name of NETWORKS."""
    made = NETWORKS[request.param]()
    monkeypatch.setattr(catalogue, "load", lambda *_args, **_how: made)
    return request.param


NETWORKS = {
    "nl": lambda: make_tiny(NonLocalSpec()),
    "cgnl": lambda: make_tiny(CGNLSpec(groups=8)),
}


@pytest.mark.parametrize(
    ("network", "how", "first"),
    [
        ("nl", ["--arrows", "5"], "clip-NL"),
        ("cgnl", ["--maps", "17,3", "--threshold", "0.4"], "clip-c17"),
        ("cgnl", ["--kind", "features", "--normalise", "frame"], "clip-cosine"),
        ("nl", ["--kind", "class maps", "--maps", "5"], "clip-class-5"),
    ],
    indirect=["network"],
)
def test_the_recipe_renders_picture_and_movie_byte_for_byte(clip, tmp_path, network, how, first):
    assert maps(clip, tmp_path, "--frame", "2", "--video", "gif", *how) == 0
    again = [tmp_path / f"again.{kind}" for kind in ("png", "gif")]
    outs = [word for path in again for word in ("--out", str(path))]
    assert main.main(["render", str(tmp_path / "recipe.json"), *outs]) == 0
    for path in again:
        assert path.read_bytes() == (tmp_path / f"{first}{path.suffix}").read_bytes(), path.name
    assert network in NETWORKS


@pytest.mark.parametrize("kind", ["mp4", "webp"])
def test_the_recipe_renders_every_kind_of_movie(clip, tmp_path, kind):
    assert maps(clip, tmp_path, "--video", kind) == 0
    again = tmp_path / f"again.{kind}"
    assert main.main(["render", str(tmp_path / "recipe.json"), "--out", str(again)]) == 0
    assert again.read_bytes() == (tmp_path / f"clip-NL.{kind}").read_bytes()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (["--frame", "4"], "4 is not a frame of"),
        (["--frame", "-1"], "the sampled frames 0 to 3"),
        (["--video", "mkv"], "mp4, gif, webp"),
        (["--video", ""], "mp4, gif, webp"),
        (["--video", "mp4,<b>"], "mp4, gif, webp"),
        (["--arrows", "-1"], "0 to 200"),
        (["--arrows", "9999"], "0 to 200"),
        (["--frames", "0"], "1 to 256"),
        (["--frames", "257"], "1 to 256"),
        (["--step", "0"], "above 0"),
        (["--step", "nan"], "above 0"),
        (["--step", "inf"], "above 0"),
        (["--start", "-1"], "from 0"),
        (["--start", "nan"], "from 0"),
        (["--start", "23"], "start"),
    ],
)
def test_bad_values_are_one_line_and_write_nothing(clip, tmp_path, capsys, change, words):
    out = tmp_path / "o"
    assert maps(clip, out, *change) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert words in printed.err
    assert not out.exists()


def test_seconds_need_a_step(clip, tmp_path, capsys):
    asked = ["maps", str(clip), "--model", "tiny", "--at", "80,40", "--out", str(tmp_path / "o")]
    assert main.main([*asked, "--unit", "seconds"]) == 2
    assert "--step in seconds" in capsys.readouterr().err


def test_what_only_clips_have_is_refused_for_a_picture(tmp_path, capsys):
    path = tmp_path / "p.png"
    Image.fromarray(draw(64, 96)[0]).save(path)
    assert maps(path, tmp_path / "o", "--video", "mp4") == 2
    error = capsys.readouterr().err
    assert "--frames, --step, --video does not go with a single picture, p.png" in error
    assert error.count("\n") == 1


def test_a_text_file_called_mp4_is_one_line(tmp_path, capsys):
    path = tmp_path / "a.mp4"
    path.write_text("not a clip")
    assert maps(path, tmp_path / "o") == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_movie_that_fails_leaves_no_half_result(clip, tmp_path, monkeypatch):
    def stop(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(maps_command, "show_frames", lambda _name: stop)
    assert maps(clip, tmp_path / "o", "--video", "mp4") == 130
    assert not (tmp_path / "o").exists()


def test_progress_is_one_moving_line_where_somebody_can_see_it(capsys, monkeypatch):
    show = maps_command.show_frames("a.mp4")
    show(1, 3)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(maps_command.sys.stderr, "isatty", lambda: True)
    show(1, 3)
    show(2, 3)
    show(3, 3)
    assert capsys.readouterr().err == "\ra.mp4: frame 1 of 3\ra.mp4: frame 3 of 3\n"


def test_a_refused_kind_ends_like_a_sentence():
    args = main.parser().parse_args(["maps", "x", "--model", "m", "--at", "1,1", "--out", "o"])
    args.video = "nope\n"
    with pytest.raises(maps_command.InputError) as caught:
        maps_command.maps(args)
    assert_one_line(caught.value)
