"""The table of published networks: complete, consistent, and answered for our readers."""

import re

import pytest
import torchvision

from errors import OutsideError
from models.class_names import NAMES, class_names
from models.zoo import published
from models.zoo.published import NOT_OFFERED, PUBLISHED
from models.zoo.published_detectors import DETECTORS
from models.zoo.published_row import Drive, Url

ROWS = [pytest.param(row, id=row.id) for row in PUBLISHED]
ANSWERS = {
    "function": {"gaussian", "embedded_gaussian", "dot_product", "concatenation"},
    "scale": {"yes", "no"},
    "kernel": {"cgnl", "cgnlx"},
    "architecture": {"pyslowfast", "pyslowfast-nopool", "fb-new", "fb-org"},
    "data": {"cub", "imagenet"},
    "epsilon": {"0", "1e-5"},
    "style": {"pytorch"},
}
COUNTS = {
    "torchvision": 11,
    "CGNL authors": 14,
    "maskrcnn-benchmark": 8,
    "mmdetection": 13,
    "Non-local_pytorch (AlexHex7)": 1,
    "mmaction2": 12,
    "mmaction2 0.x": 8,
    "PySlowFast": 3,
    "video-nonlocal-net": 15,
    "TSM (MIT)": 2,
    "gluon-cv": 4,
}


def test_every_family_has_all_its_rows():
    families = [row.family for row in PUBLISHED]
    assert {name: families.count(name) for name in set(families)} == COUNTS


def test_names_and_links_are_of_one_row_each():
    assert len({row.id for row in PUBLISHED}) == len(PUBLISHED)
    assert len({row.source.link for row in PUBLISHED}) == len(PUBLISHED)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_can_be_shown_stored_and_answered(row):
    assert re.fullmatch(r"[a-z0-9-]+", row.id)
    assert re.fullmatch(r"[A-Za-z0-9._-]+", row.source.file_name)
    assert not row.source.file_name.startswith(".")
    assert row.source.link.startswith("https://")
    assert re.fullmatch(r"\d\d\.\d+ / (\d\d\.\d+|not stated)|not stated", row.accuracy)
    assert row.classes in NAMES
    assert all((row.title, row.paper, row.dataset, row.input, row.licence))
    for name, value in row.answers.items():
        assert value in ANSWERS[name] if name in ANSWERS else value.isdecimal(), name


@pytest.mark.parametrize("row", ROWS)
def test_a_hash_in_the_publishers_file_name_is_checked(row):
    written = re.search(r"-([0-9a-f]{8})\.pth$", row.source.file_name)
    if written and isinstance(row.source, Url):
        assert row.source.sha256 == written[1]


@pytest.mark.parametrize("row", ROWS)
def test_clips_say_their_frames_and_images_do_not(row):
    assert ("frames" in row.answers) == (row.dataset in ("Kinetics-400", "AVA 2.1 mAP"))
    if "frame_stride" in row.answers:
        clip = f"{row.answers['frames']} x {row.answers['frame_stride']} frames"
        assert row.input.startswith(clip)


def test_networks_whose_weights_look_alike_are_told_apart():
    for row in PUBLISHED:
        if row.family == "CGNL authors" and "CGNL" in row.title:
            assert row.answers["kernel"] == ("cgnlx" if "CGNLx" in row.title else "cgnl")
        if row.family.startswith("mmaction2") and "NL" in row.title:
            assert row.answers["function"] in row.title.replace(" ", "_")
        if row.family == "video-nonlocal-net":
            old = "32x2" in row.id or "128x1" in row.id
            assert row.answers["architecture"] == ("fb-org" if old else "fb-new")
    assert published.find("pyslowfast-c2d-8x8").answers["architecture"] == "pyslowfast-nopool"


def test_drive_files_have_ids_of_drives_form():
    ids = [row.source.file_id for row in PUBLISHED if isinstance(row.source, Drive)]
    assert len(set(ids)) == 14
    assert all(re.fullmatch(r"1[\w-]{32}", file_id) for file_id in ids)


def test_what_is_not_offered_is_named_with_the_reason():
    assert len(NOT_OFFERED) == 2
    links = {row.source.link for row in PUBLISHED}
    for one in NOT_OFFERED:
        assert one.reason
        assert one.link not in links


def test_an_unknown_row_is_refused(one_line):
    with pytest.raises(OutsideError, match="nope") as caught:
        published.find("nope")
    one_line(caught.value)


@pytest.mark.parametrize(
    ("name", "count", "some"),
    [
        ("kinetics-400", 400, {0: "abseiling", 208: "passing American football (in game)",
                               290: "sharpening knives", 399: "zumba"}),
        ("cub-200", 200, {0: "Black footed Albatross", 138: "Scarlet Tanager",
                          199: "Common Yellowthroat"}),
        ("imagenet-1k", 1000, {0: "tench", 999: "toilet tissue"}),
        ("digits", 10, {0: "0", 9: "9"}),
    ],
)  # fmt: skip
def test_class_names_are_complete_and_in_the_publishers_order(name, count, some):
    names = class_names(name)
    assert len(names) == count
    assert all(word.strip() == word and word for word in names)
    assert {index: names[index] for index in some} == some


def test_unknown_class_names_are_our_bug():
    with pytest.raises(ValueError, match="known are"):
        class_names("birds")


def test_torchvisions_detectors_are_as_torchvision_lists_them():
    there = {}
    for name in torchvision.models.list_models(module=torchvision.models.detection):
        for weights in torchvision.models.get_model_weights(name):
            there[weights.url] = weights.meta
    for row in (one for one in DETECTORS if one.id.startswith("tv-")):
        meta = there[row.source.link]
        (found,) = meta["_metrics"].values()
        others = [value for name, value in found.items() if name != "box_map"]
        second = f"{others[0]}" if others else "not stated"
        assert row.accuracy == f"{found['box_map']} / {second}"
        assert row.size_mb == pytest.approx(meta["_file_size"], abs=0.06)
        assert class_names(row.classes) == tuple(meta["categories"])
