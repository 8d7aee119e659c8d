"""Every container that checkpoints come in, and what is asked of a file that is read or refused."""

import pytest
import torch

from errors import CheckpointError
from models.checkpoints.containers import read
from tests.models.written import planted


def refusal(path):
    """Check that the file is refused by its name, and return the words."""
    with pytest.raises(CheckpointError) as caught:
        read.read(path)
    message = str(caught.value)
    assert message.startswith(path.name)
    return message


def same(tensors, expected):
    """Check that the tensors are the expected ones, dtypes included, and lie plainly in memory."""
    assert tensors.keys() == expected.keys()
    for name, tensor in tensors.items():
        assert tensor.dtype == expected[name].dtype, name
        assert torch.equal(tensor, expected[name]), name
        assert tensor.is_contiguous()
        assert not tensor.requires_grad


WRITERS = {
    "safetensors": lambda path: planted.write_safetensors(path),
    "torch zip": lambda path: planted.write(path, planted.weights()),
    "torch legacy": lambda path: planted.write_legacy(path, planted.weights()),
    "torch zip, of a training run": planted.write_mmengine,
    "Caffe2 pickle": lambda path: planted.write_protocol_2(path, {"blobs": planted.arrays()}),
}
"""Container -> what writes ``planted.weights()`` to a path in it."""
