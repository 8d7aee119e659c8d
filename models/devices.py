"""Where networks compute: a GPU (cuda, mps) or the processor (cpu), chosen by name."""

import os

import torch
from torch import Tensor, nn

from errors import InputError, MachineError, counted

AUTO, CPU = "auto", "cpu"
TAKEN = "auto (a GPU where there is one), cpu, cuda, cuda:1, mps"
"""What ``--device`` takes, in words."""
_AT_ONCE = {"cuda": 16, "mps": 4}
"""Inputs that a device runs through a network together; a processor is as fast one by one."""
_CHOSEN = [AUTO]


def there() -> tuple[str, ...]:
    """Return the devices of this machine, the fastest first: cuda:0, cuda:1, mps, cpu."""
    gpus = [f"cuda:{k}" for k in range(torch.cuda.device_count())]
    metal = ["mps"] if torch.backends.mps.is_available() else []
    return (*gpus, *metal, CPU)


def use(name: str) -> None:
    """Make ``name`` the device of every network that this process loads from now on.

    InputError for no name of a device, MachineError where this machine has none such.
    """
    found(name)
    _CHOSEN[0] = name


def chosen() -> str:
    """Return the name that ``use`` was last given; ``auto`` before."""
    return _CHOSEN[0]


def found(name: str | None = None) -> torch.device:
    """Return the device called ``name``, that of ``use`` for None; ``exact`` where it is a GPU.

    ``auto`` is the first of ``there``. InputError and MachineError as ``use``.
    """
    name, here = name or chosen(), there()
    full = {AUTO: here[0], "cuda": "cuda:0"}.get(name, name)
    if full in here:
        return exact(torch.device(full))
    kind, colon, number = full.partition(":")
    if kind not in ("cuda", "mps", CPU) or (colon and not (kind == "cuda" and number.isdecimal())):
        raise InputError(f"{name[:40]!r} is not a device; give {TAKEN}.")
    raise MachineError(f"{name[:40]} is not there: this machine has {', '.join(here)}. Give one.")


def exact(device: torch.device) -> torch.device:
    """Make this process compute in float32 on ``device``, and return it: torch lets convolutions on
    an NVIDIA GPU round their inputs to the 10 bits of TF32 (a relative error near 5e-4)."""
    if device.type == "cuda":
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
    return device


def moved(network: nn.Module, device: torch.device) -> nn.Module:
    """Put a network on ``device``, in place, and return it: also tensors that its modules keep
    beside their weights and buffers, as tables of positions made in a forward pass."""
    for module in network.to(device).modules():
        kept = {name: one for name, one in vars(module).items() if isinstance(one, Tensor)}
        vars(module).update({name: one.to(device) for name, one in kept.items()})
    return network


def words(device: torch.device) -> str:
    """Return what a device is called: "NVIDIA H100 (cuda:0)", "processor (cpu), 8 cores"."""
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)} ({device})"
    if device.type == "mps":
        return "Apple GPU (mps)"
    return f"processor (cpu), {counted(os.cpu_count() or 1, 'core')}"


def of(network: nn.Module) -> torch.device:
    """Return where the weights of a network are; cpu for one without."""
    return next((weight.device for weight in network.parameters()), torch.device(CPU))


def at_once(device: torch.device) -> int:
    """Return how many inputs of one size a device runs through a network together."""
    return _AT_ONCE.get(device.type, 1)


def precise(values: Tensor) -> Tensor:
    """Return values as float64; as float32 on mps, which has nothing finer."""
    return values.float() if values.device.type == "mps" else values.double()
