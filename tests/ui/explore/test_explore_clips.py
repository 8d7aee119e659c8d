"""The Explore page without a browser, with a clip in use."""

import io

import pytest
from PIL import Image

from tests.ui.pages import assert_sound, opened, png, uploader, values_table
from ui.explore.sidebar import FINE
from viz.attention import pipeline, queries
from viz.attention.kinds.registry import kind_of
from viz.examples import kick
from viz.figure.files import movie
from viz.media import footage
from viz.types import Cell, Sampling

pytestmark = pytest.mark.slow

KICK = {"example": "kick", "net": "e2-nl", "beside": "none", "size": "224"}


def gif(frames=3, size=(96, 64)):
    """An animated GIF whose frames differ."""
    pictures = [Image.new("RGB", size, (80 * k, 40, 200)) for k in range(frames)]
    packed = io.BytesIO()
    pictures[0].save(packed, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    return packed.getvalue()


def in_use(at):
    return next(c.value for c in at.caption if c.value.startswith("In use"))


def test_the_example_clip_opens_at_the_kicking_foot_with_networks_for_clips():
    at = assert_sound(opened(example="kick"))
    assert "32 frames" in in_use(at)
    assert at.selectbox(key="net").value == "e2-clip-nl"
    assert at.selectbox(key="beside").value == "e2-clip-cgnl"
    numbers = footage.of(kick.clip()).numbers(Sampling(8, 4))
    frame = at.number_input(key="frame").value
    assert abs(numbers[frame] - kick.CONTACT) <= 2
    x, y = (float(v) for v in values_table(at)["Pixel"][0].split(", "))
    foot = kick.foot_at(numbers[frame])
    assert abs(x - foot[0]) < 40
    assert abs(y - foot[1]) < 40


def test_the_pinned_value_is_the_float32_value_of_the_pipeline():
    at = assert_sound(opened(**KICK, at="3,4,5"))
    model = pipeline.load("e2-nl")
    clip = footage.of(kick.clip()).sample(pipeline.sampling_for(model.spec))
    block = queries.block_of(pipeline.capture(model, clip, "fit", 224))
    values = kind_of(block).map(block, Cell(3, 4, 5)).values
    shown = values_table(at)
    assert float(shown["Value"][0]) == pytest.approx(values[3, 4, 5], rel=1e-4)
    assert shown["Rank"][0].endswith(f"of {values.size}")


def test_a_clip_costs_one_forward_pass_whatever_is_moved(forwards):
    at = opened(**KICK)
    assert [shape[2] for shape in forwards] == [8]
    at.number_input(key="frame").set_value(6).run()
    at.number_input(key="row").set_value(1).run()
    at.selectbox(key="scale").set_value("min-max of each frame").run()
    at.checkbox(key="arrows").check().run()
    assert_sound(at)
    assert len(forwards) == 1
    assert at.number_input(key="frame").value == 6
    address = f"6,1,{at.number_input(key='col').value}"
    assert at.query_params["at"] in (address, [address])


def test_another_sampling_runs_the_network_again_and_keeps_the_time(forwards):
    at = opened(**KICK, at="6,4,5")
    model = pipeline.load("e2-nl")
    before = footage.of(kick.clip()).sample(pipeline.sampling_for(model.spec))
    at.selectbox(key="sampling").set_value("32 x 2").run()
    assert_sound(at)
    assert [shape[2] for shape in forwards] == [8, 32]
    after = footage.of(kick.clip()).sample(Sampling(32, 2))
    frame = at.number_input(key="frame").value
    assert abs(after.timestamps[frame] - before.timestamps[6]) <= 1 / kick.RATE


def test_the_clip_can_be_dragged_along_the_footage(forwards):
    at = opened(**KICK)
    at.selectbox(key="sampling").set_value("custom").run()
    at.number_input(key="frames").set_value(4).run()
    at.number_input(key="step").set_value(2.0).run()
    start = at.slider(key="start")
    assert start.value == (32 - 1 - 6) // 2
    start.set_value(20).run()
    assert_sound(at)
    assert forwards[-1][2] == 4
    assert at.slider(key="start").value == 20
    assert at.query_params["start"] in ("20", ["20"])


def test_the_address_bar_brings_the_sampling_back(forwards):
    at = opened(**KICK, sampling="custom", frames="4", step="2", start="21", at="2,3,4")
    assert_sound(at)
    assert forwards[-1][2] == 4
    assert at.slider(key="start").value == 21
    assert at.number_input(key="frame").value == 2


@pytest.mark.parametrize("start", ["-3", "1e9", "x", "", "9999", "1.2.3"])
def test_a_bad_start_in_the_address_is_the_middle(start):
    at = assert_sound(opened(**KICK, sampling="custom", frames="4", step="2", start=start))
    assert at.slider(key="start").value == 12


def test_a_clip_that_is_uploaded_brings_its_networks_and_a_picture_its_own():
    at = opened()
    assert at.selectbox(key="net").value == "e2-nl"
    uploader(at, "upload").upload("wave.gif", gif(), "image/gif").run()
    assert_sound(at)
    assert "3 frames" in in_use(at)
    assert at.selectbox(key="net").value == "e2-clip-nl"
    assert at.number_input(key="frame").max == 2
    uploader(at, "upload").upload("bird.png", png(300, 200), "image/png").run()
    assert_sound(at)
    assert at.selectbox(key="net").value == "e2-nl"


def test_the_example_clip_brings_its_networks_when_it_is_chosen():
    at = opened()
    at.selectbox(key="example").set_value("kick").run()
    assert_sound(at)
    assert at.selectbox(key="net").value == "e2-clip-nl"
    assert at.selectbox(key="size").value == 224
    at.selectbox(key="example").set_value("bird").run()
    assert at.selectbox(key="net").value == "e2-nl"
    assert at.selectbox(key="size").value == FINE


def test_several_pictures_are_the_frames_of_a_clip():
    at = opened()
    for k in (10, 2):
        uploader(at, "frames_upload").upload(f"f{k}.png", png(90, 60), "image/png")
    at.run()
    assert_sound(at)
    assert "2 frames" in in_use(at)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("talk.mp4", b"not a film at all"),
        ("cut.mp4", b"\x00\x00\x00\x18ftypmp42" + bytes(40)),
        ("odd.zip", b"PK\x03\x04 broken"),
    ],
)
def test_a_bad_clip_is_one_line_and_the_clip_before_stays(name, content):
    at = opened(**KICK)
    uploader(at, "upload").upload(name, content, "video/mp4").run()
    assert_sound(at)
    assert len(at.error) == 1
    assert "\n" not in at.error[0].value
    assert "example" in in_use(at)


def test_frames_of_different_sizes_are_one_line():
    at = opened(**KICK)
    for k, side in ((1, 64), (2, 80)):
        uploader(at, "frames_upload").upload(f"f{k}.png", png(side, 64), "image/png")
    at.run()
    assert_sound(at)
    assert len(at.error) == 1
    assert "64" in at.error[0].value
    assert "80" in at.error[0].value


TITLES = [title for title, _mime in movie.KINDS.values()]
SHORT = {**KICK, "sampling": "custom", "frames": "3", "step": "2"}


def test_movies_are_made_on_request_and_dropped_with_their_view():
    at = opened(**SHORT)
    assert list(at.segmented_control(key="view-movie-kind").options) == TITLES
    for title in TITLES:
        at.segmented_control(key="view-movie-kind").set_value(title).run()
        assert not saved_movies(at)
        at.button(key="view-movie-make").click().run()
        assert_sound(at)
        assert [label.rsplit(" (", 1)[0] for label in saved_movies(at)] == [f"Save the {title}"]
    at.selectbox(key="map").set_value("jet").run()
    assert not saved_movies(at)
    at.selectbox(key="map").set_value("inferno").run()
    assert saved_movies(at)
    at.number_input(key="row").set_value(0).run()
    assert not saved_movies(assert_sound(at))


def saved_movies(at):
    """The labels of the buttons that save a movie."""
    labels = [button.label for button in at.get("download_button")]
    return [label for label in labels if label.startswith("Save the")]


def test_a_picture_offers_no_movie():
    at = opened()
    assert not [button for button in at.button if button.key == "view-movie-make"]
    assert not at.segmented_control
