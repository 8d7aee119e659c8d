"""Folders and zips: frames are grouped by their series, flow is left out, and nothing is mixed."""

import numpy as np
import pytest

from errors import MediaError
from tests.viz import drawn_clips as draw
from viz.figure.sources import FileSources
from viz.media import footage, series
from viz.types import Sampling

ALL = Sampling(256, 1)


def numbered(*forms, count=5):
    return [form.format(k) for form in forms for k in range(1, count + 1)]


RAW = {
    "TSN": (numbered("img_{:05}.jpg", "flow_x_{:05}.jpg", "flow_y_{:05}.jpg"), "img_*.jpg"),
    "mmaction2": (numbered("img_{:05}.jpg", "x_{:05}.jpg", "y_{:05}.jpg"), "img_*.jpg"),
    "tvl1": (numbered("img_{:05}.jpg", "tvl1_x_{}.jpg", "tvl1_y_{}.jpg"), "img_*.jpg"),
    "folders": (numbered("v/image_{}.png", "v/flow_x/{}.png", "v/flow_y/{}.png"), "v/image_*.png"),
    "u and v": (numbered("frames/{}.png", "u/{}.png", "v/{}.png"), "frames/*.png"),
}


@pytest.mark.parametrize(("names", "kept"), RAW.values(), ids=RAW)
def test_flow_beside_pictures_is_left_out_and_named(names, kept):
    places, notes = series.chosen(names, "rawframes")
    assert [names[k] for k in places] == names[:5]
    assert series.matching(names[:5], kept) == list(range(5))
    assert len(notes) == 2
    assert all("optical flow left out: 5 pictures" in note for note in notes)


ONE = {
    "numbers": numbered("{:04}.png"),
    "no numbers": ["a.png", "b.png", "c.png"],
    "two spellings": [*numbered("IMG_{}.JPG"), "img_6.jpeg"],
    "times of day": ["10-20-58.png", "10-20-59.png", "10-21-00.png", "10-21-01.png"],
    "flower": numbered("flower_{}.png"),
    "x alone": numbered("x_{}.png"),
    "flow alone": numbered("flow_{}.png"),
    "a date": numbered("2024-01-01_{}.png"),
    "long numbers": ["n" + "9" * 6000 + ".png", "n1.png"],
}


@pytest.mark.parametrize("names", ONE.values(), ids=ONE)
def test_one_series_is_taken_whole(names):
    assert series.chosen(names, "frames") == (list(range(len(names))), ())


SEVERAL = {
    "two names": numbered("img_{}.png", "depth_{}.png"),
    "two cameras": numbered("cam1_{:03}.png", "cam2_{:03}.png"),
    "two folders": numbered("left/{}.png", "right/{}.png"),
    "two kinds": numbered("{}.jpg", "{}.png"),
    "one number in front": numbered("view_1_{}.png", "view_2_{}.png"),
}


@pytest.mark.parametrize("names", SEVERAL.values(), ids=SEVERAL)
def test_two_series_of_pictures_are_a_question(names, one_line):
    with pytest.raises(MediaError, match="2 series of pictures") as caught:
        series.chosen(names, "frames")
    text = one_line(caught.value)
    answer = text.split("as in frames/")[1].split(", or")[0]
    assert series.chosen(names, "frames", answer)[0] in (list(range(5)), list(range(5, 10)))


def test_a_single_picture_beside_a_series_is_left_out_and_named():
    places, notes = series.chosen(["cover.png", *numbered("f{}.png")], "frames")
    assert places == [1, 2, 3, 4, 5]
    assert "cover.png" in notes[0]


def test_a_series_that_is_not_there_names_those_that_are(one_line):
    with pytest.raises(MediaError, match=r"img_\*\.png \(5\)") as caught:
        series.chosen(numbered("img_{}.png"), "frames", "side_")
    one_line(caught.value)


@pytest.fixture
def rawframes(tmp_path):
    folder = tmp_path / "rawframes"
    folder.mkdir()
    for k in range(7):
        (folder / f"img_{k:05}.png").write_bytes(draw.picture(draw.drawn(k)))
        for axis in "xy":
            flow = draw.picture(np.full((38, 46), 128, np.uint8))
            (folder / f"flow_{axis}_{k:05}.png").write_bytes(flow)
    return folder


def test_a_folder_of_raw_frames_is_its_pictures(rawframes):
    clip = footage.load(rawframes).sample(ALL)
    assert [draw.told(frame) for frame in clip.frames] == list(range(7))
    assert [note.rpartition(" ")[2] for note in clip.notes] == ["flow_x_*.png", "flow_y_*.png"]


def test_flow_of_another_size_is_in_nobodys_way(rawframes):
    (rawframes / "flow_x_00003.png").write_bytes(draw.picture(draw.drawn(3, 31, 43)))
    assert len(footage.load(rawframes).times) == 7


def test_a_path_tells_the_series_of_a_folder_or_zip_and_a_recipe_finds_it_again(rawframes):
    for k in range(7):
        (rawframes / f"side_{k}.png").write_bytes(draw.picture(draw.drawn(k + 20)))
    with pytest.raises(MediaError, match="img_") as caught:
        footage.load(rawframes)
    assert "side_*.png (7)" in str(caught.value)
    files = {f"raw/{file.name}": file.read_bytes() for file in rawframes.iterdir()}
    (rawframes.parent / "raw.zip").write_bytes(draw.zipped(files))
    for path in ("rawframes/side_", "rawframes/side_*", "raw.zip/*side_*"):
        found = footage.load(rawframes.parent / path)
        assert [draw.told(frame) for frame in found.sample(ALL).frames] == list(range(20, 27))
    alone = [(f"side_{k}.png", (rawframes / f"side_{k}.png").read_bytes()) for k in range(7)]
    assert footage.load(rawframes / "side_").sha256 == footage.read_set(alone).sha256
    sources = FileSources(rawframes.parent)
    assert sources.footage(str(rawframes / "side_")).times[6] == 6 / 25


def test_a_name_that_is_only_like_a_picture_is_missing(tmp_path):
    (tmp_path / "bird.png").write_bytes(draw.picture(draw.drawn(1)))
    (tmp_path / "bird2.png").write_bytes(draw.picture(draw.drawn(1)))
    with pytest.raises(MediaError, match="could not be read"):
        footage.load(tmp_path / "bird")
