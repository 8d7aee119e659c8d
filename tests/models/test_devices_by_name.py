"""Devices by name: what there is, what is accepted, one line for what is not there."""

import pytest
import torch

from errors import InputError, MachineError
from models import devices
from models.zoo import catalogue
from viz.cli.main import main


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine with two GPUs, as far as names go; the choice of this process is given back."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    yield
    devices.use("auto")


@pytest.mark.parametrize(
    ("name", "found"),
    [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")],
)
@pytest.mark.usefixtures("two_gpus")
def test_names_are_devices_of_the_machine(name, found):
    devices.use(name)
    assert devices.found() == torch.device(found)
    assert devices.found("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("cuda:2", MachineError, "cuda:2 is not there: this machine has cuda:0, cuda:1, cpu."),
        ("mps", MachineError, "mps is not there"),
        ("gpu", InputError, "'gpu' is not a device; give auto"),
        ("cpu:1", InputError, "'cpu:1' is not a device"),
        ("cuda:-1", InputError, "'cuda:-1' is not a device"),
        ("x" * 999, InputError, "is not a device"),
    ],
)
@pytest.mark.usefixtures("two_gpus")
def test_what_is_not_there_is_one_line(name, kind, said):
    with pytest.raises(kind) as problem:
        devices.use(name)
    assert said in str(problem.value)
    assert len(str(problem.value)) < 160
    assert devices.chosen() == "auto"


@pytest.mark.parametrize("command", ["maps", "figure", "render", "evaluate", "export"])
def test_every_command_that_computes_takes_a_device(command, capsys):
    given = {
        "maps": ["example:bird", "--model", "e2-nl", "--at", "9,9", "--out", "x"],
        "figure": ["parts", "example:bird", "--model", "e2-nl", "--at", "9,9", "--out", "x.png"],
        "render": ["recipe.json", "--out", "x.png"],
        "evaluate": ["folder", "--model", "e2-nl", "--out", "x"],
        "export": ["folder", "--model", "e2-nl", "--out", "x"],
    }
    assert main([command, *given[command], "--device", "cuda:7"]) == 2
    assert "cuda:7 is not there: this machine has cpu" in capsys.readouterr().err


def test_loading_puts_a_network_where_it_is_wanted():
    assert devices.of(catalogue.load("e2-nl", "cpu").network) == torch.device("cpu")
    with pytest.raises(MachineError, match="cuda:7 is not there"):
        catalogue.load("e2-nl", "cuda:7")


@pytest.fixture
def rounding():
    """Both of torch's switches for TF32, on; given back as they were."""
    parts = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [part.allow_tf32 for part in parts]
    for part in parts:
        part.allow_tf32 = True
    yield parts
    for part, was in zip(parts, before, strict=True):
        part.allow_tf32 = was


@pytest.mark.usefixtures("two_gpus")
def test_a_gpu_computes_in_float32(rounding):
    devices.found("cpu")
    assert all(part.allow_tf32 for part in rounding)
    devices.found("cuda:1")
    assert not any(part.allow_tf32 for part in rounding)


class WithTable(torch.nn.Linear):
    """A layer that keeps a table which it makes when it runs, as ConViT's attention does."""

    table = None

    def forward(self, x):
        if self.table is None:
            self.table = torch.ones(2, device=self.weight.device)
        return super().forward(x + self.table)


def test_what_a_module_keeps_beside_its_weights_moves_with_them():
    network = torch.nn.Sequential(WithTable(2, 2))
    network(torch.zeros(1, 2))
    moved = devices.moved(network, torch.device("meta"))
    assert moved is network
    assert moved[0].table.device == moved[0].weight.device == torch.device("meta")
