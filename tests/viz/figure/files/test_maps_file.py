"""The arrays of a view: opened without pickle they are the maps, with their reference."""

import io
from dataclasses import replace

import numpy as np
import pytest

from tests.viz.drawn_figures import Table, footage, nl, photo, pinned, row_at
from tests.viz.drawn_figures import view as seen_by
from viz.attention.kinds.channels import channel_map, group_map
from viz.figure.files.maps_file import npz
from viz.figure.resolve import scene
from viz.types import Cell, Clip


class Named:
    """What stands for a network: its id and the sha256 of its weights."""

    def __init__(self, name):
        self.id, self.sha256 = name, name * 3


class Networks(Table):
    def model(self, network):
        return Named(network.id)


def named(made: Table) -> Networks:
    return Networks(made.clips, made.blocks, made.geometry)


def arrays(content: bytes) -> dict[str, np.ndarray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as opened:
        return dict(opened)


def shots_of(sources, *views, path="photo", **how):
    return scene(pinned(path, views, **how), named(sources)).shots


def test_the_values_are_the_maps_of_every_network():
    sources = photo()
    found = arrays(npz(shots_of(sources, seen_by("nl"), seen_by("cgnl", maps="3,17"))))
    cell = Cell(0, 2, 3)
    assert found["values_nl"].dtype == found["values_cgnl"].dtype == np.float32
    np.testing.assert_allclose(
        found["values_nl"], row_at(sources.blocks["photo", "nl"], cell)[None], rtol=1e-5
    )
    block = sources.blocks["photo", "cgnl"]
    expected = [channel_map(block, cell, c).values for c in (3, 17)]
    np.testing.assert_array_equal(found["values_cgnl"], np.stack(expected))
    assert found["labels_nl"].tolist() == ["NL"]
    assert found["labels_cgnl"].tolist() == ["c3", "c17"]
    assert found["meaning_nl"].tolist() == ["weights, sum 1"]
    assert found["meaning_cgnl"].tolist() == ["response, any sign"] * 2


def test_the_reference_stands_beside_its_maps():
    found = arrays(npz(shots_of(photo(), seen_by("nl"), seen_by("cgnl"), at=(31.0, 23.0))))
    for end in ("_nl", "_cgnl"):
        assert found[f"cell{end}"].tolist() == [0, 2, 3]
        assert found[f"grid{end}"].tolist() == [1, 5, 7]
        assert found[f"pixel{end}"].tolist() == pytest.approx([67 / 2, 53 / 2])
        assert str(found[f"block{end}"]) == "res4.4"
    assert found["model_nl"].tolist() == ["nl", "nlnlnl"]
    assert found["model_cgnl"].tolist() == ["cgnl", "cgnl" * 3]
    assert len(found) == 2 * 9


def test_the_arrays_of_a_clip_say_when_its_frames_are():
    sources = footage()
    clip = replace(sources.clips["clip"], numbers=(3, 11, 19, 27, 30, 31, 40))
    shots = shots_of(sources, seen_by("nl"), seen_by("cgnl"), path="clip", frame=2, frames=7)
    found = arrays(npz(shots, 2, clip))
    assert found["timestamps"].tolist() == list(clip.timestamps)
    assert found["numbers"].tolist() == [3, 11, 19, 27, 30, 31, 40]
    assert (int(found["frame_nl"]), int(found["frame_cgnl"])) == (2, 2)
    assert found["values_nl"].shape == (1, 7, 5, 3)
    unnumbered = arrays(npz(shots, 2, sources.clips["clip"]))
    assert unnumbered["numbers"].tolist() == list(range(7))


def test_a_picture_has_no_times():
    sources = photo()
    clip = sources.clips["photo"]
    assert isinstance(clip, Clip)
    for given in (None, clip):
        found = arrays(npz(shots_of(sources, seen_by("nl")), clip=given))
        assert not {"timestamps", "numbers"} & found.keys()
        assert int(found["frame"]) == 0
        assert ("picture" in found, "sha256" in found) == (given is not None,) * 2


def test_every_group_comes_behind_the_maps_where_all_are_asked_for():
    sources = photo()
    shots = shots_of(sources, seen_by("nl"), seen_by("cgnl", maps="5"))
    plain, full = (arrays(npz(shots, full=how)) for how in (False, True))
    assert plain["labels_cgnl"].tolist() == ["c5"]
    assert full["labels_cgnl"].tolist() == ["c5", "g0", "g1", "g2"]
    block = sources.blocks["photo", "cgnl"]
    for k in range(3):
        expected = group_map(block, Cell(0, 2, 3), k).values
        np.testing.assert_array_equal(full["values_cgnl"][k + 1], expected)
    np.testing.assert_array_equal(plain["values_nl"], full["values_nl"])


def test_no_map_is_there_twice():
    headed = replace(nl(), heads=11)
    shots = shots_of(photo(nl=headed), seen_by("nl"), seen_by("cgnl", maps="groups"))
    found = arrays(npz(shots, full=True))
    assert found["labels_nl"].tolist() == [f"h{k}" for k in range(11)]
    assert found["labels_cgnl"].tolist() == ["g0", "g1", "g2"]
    assert len(found["values_nl"]) == len(found["meaning_nl"]) == 11


@pytest.mark.parametrize("kind", ["features", None])
def test_the_same_view_is_the_same_bytes(kind):
    views = (seen_by("nl", kind=kind), seen_by("cgnl", kind=kind))
    first, second = (npz(shots_of(photo(), *views)) for _ in range(2))
    assert first == second


def test_a_cosine_is_said_to_be_one():
    found = arrays(npz(shots_of(photo(), seen_by("cgnl", kind="features"))))
    assert found["labels"].tolist() == ["cosine"]
    assert found["meaning"].tolist() == ["cosine, -1 to 1"]
    assert found["values"].max() == pytest.approx(1)
