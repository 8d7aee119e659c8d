"""What tensors under our names say of their network, read back from networks that were built."""

from dataclasses import replace

import pytest
import torch

from errors import CheckpointError
from models.build import outline
from models.checkpoints.families import structure
from models.specs.block import CGNLSpec, NonLocalSpec
from models.specs.network import ModelSpec, Preprocessing, TemporalSpec

FILE = "net.pth"


def tensors_of(**options):
    return outline(ModelSpec(**{"base_width": 8, "num_classes": 7} | options)).state_dict()


@pytest.mark.parametrize("depth", [14, 18, 20, 34, 50, 101, 152])
def test_the_depth_is_that_of_the_units(depth):
    assert structure.depth_of(tensors_of(depth=depth), FILE) == depth


def test_units_of_no_resnet_are_refused_with_those_that_are_read(one_line):
    tensors = {k: v for k, v in tensors_of().items() if not k.startswith("layer3.5.")}
    with pytest.raises(CheckpointError, match=r"bottleneck units \(3, 4, 5, 3\)") as caught:
        structure.depth_of(tensors, FILE)
    assert FILE in one_line(caught.value)


@pytest.mark.parametrize("placement", ["none", "1", "1-after", "5", "10", ("res2.0", "res4.1")])
@pytest.mark.parametrize("depth", [50, 101, 152])
def test_places_are_named_by_the_row_that_they_are(depth, placement):
    block = None if placement == "none" else NonLocalSpec()
    tensors = tensors_of(depth=depth, block=block, placement=placement)
    assert structure.placement(tensors, depth) == placement


def test_a_listed_row_of_the_table_is_called_by_its_name():
    tensors = tensors_of(block=NonLocalSpec(), placement=("res4.5",))
    assert structure.placement(tensors, 50) == "1-after"


def test_kernels_in_time_are_seen_in_the_shapes():
    units = ((0, 2), (), (1, 4), (2,))
    tensors = tensors_of(temporal=TemporalSpec(stem_frames=5, inflated=units))
    assert structure.inflated(tensors) == units
    assert structure.stem_frames(tensors) == 5
    assert structure.stem_frames(tensors_of()) == 1
    flat = {k: v.unsqueeze(2) if v.ndim == 4 else v for k, v in tensors_of().items()}
    assert structure.inflated(flat) == ((), (), (), ())
    assert structure.stem_frames(flat) == 1


BLOCKS = [
    NonLocalSpec("gaussian", bias=True),
    NonLocalSpec("concatenation", expand_bias=True),
    NonLocalSpec("embedded_gaussian", norm="none", reduction=4),
    NonLocalSpec("dot_product", bias=True, expand_bias=True, reduction=1),
]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda b: b.function)
def test_an_nl_block_tells_all_but_which_function_of_two(block):
    tensors = tensors_of(block=block, placement="1")
    assert structure.first_block(tensors) == "blocks.res4_4."
    found = structure.nonlocal_facts(tensors, "blocks.res4_4.")
    alike = block.function in ("embedded_gaussian", "dot_product")
    assert ("function" in found) != alike
    assert replace(NonLocalSpec(block.function), **found) == block


@pytest.mark.parametrize(("groups", "reduction"), [(8, 2), (4, 2), (1, 2), (8, 4)])
def test_a_cgnl_block_tells_groups_and_reduction(groups, reduction):
    tensors = tensors_of(block=CGNLSpec(groups=groups, reduction=reduction), placement="1")
    found = structure.cgnl_facts(tensors, "blocks.res4_4.")
    assert found == {"groups": groups, "reduction": reduction}


def test_a_plain_network_has_no_first_block():
    assert structure.first_block(tensors_of()) is None


@pytest.mark.parametrize("norm", ["batch", "affine"])
@pytest.mark.parametrize("width", [8, 11, 64])
def test_width_classes_and_norm_come_from_the_tensors(width, norm):
    spec = ModelSpec(50, width, NonLocalSpec(), "5", 13, norm=norm)
    tensors = outline(spec).state_dict()
    assert structure.resnet_spec(tensors, FILE, NonLocalSpec()) == spec
    told = structure.resnet_spec(
        tensors, FILE, NonLocalSpec(), preprocessing=Preprocessing(448, 512)
    )
    assert told.preprocessing.size == 448


def test_reading_structure_needs_no_values():
    assert all(v.device == torch.device("meta") for v in tensors_of().values())
