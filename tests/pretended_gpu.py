"""A GPU that is not there: tensors that say cuda:0, compute on the processor, and refuse to meet
tensors of the processor exactly where torch's FakeTensorMode says that real ones would."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensor,
    FakeTensorMode,
)
from torch.utils._python_dispatch import return_and_correct_aliasing
from torch.utils._pytree import tree_map, tree_map_only

GPU, CPU = torch.device("cuda:0"), torch.device("cpu")
_CHECK = FakeTensorMode(allow_non_fake_inputs=False)
_UNKNOWN_BEFORE_IT_RUNS = (DataDependentOutputException, DynamicOutputShapeException)


class OnGpu(Tensor):
    """A tensor on the pretended GPU; ``held`` has its values. numpy() refuses it, as it refuses
    tensors of a real one."""

    held: Tensor

    @staticmethod
    def __new__(cls, held: Tensor) -> "OnGpu":
        made = Tensor._make_wrapper_subclass(
            cls, held.shape, strides=held.stride(), storage_offset=held.storage_offset(),
            dtype=held.dtype, layout=held.layout, device=CPU, requires_grad=held.requires_grad,
        )  # fmt: skip
        made.held = held
        return made

    # To C++ it is of the processor, so that its backward passes need no driver.
    device = property(lambda _self: GPU)
    is_cuda = property(lambda _self: True)
    is_cpu = property(lambda _self: False)

    def __repr__(self, **_how: object) -> str:
        return f"OnGpu({self.held!r})"

    @classmethod
    def __torch_function__(
        cls, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func is Tensor.tolist:
            return args[0].held.tolist()
        if func is Tensor.new_tensor and isinstance(args[0], OnGpu):
            return OnGpu(args[0].held.new_tensor(*args[1:], **kwargs))
        if func in (Tensor.cpu, Tensor.to):
            place, dtypes = _target(func, args[1:], kwargs)
            if place == CPU and isinstance(args[0], OnGpu):
                return args[0].held.detach().clone().to(*dtypes)
            if place is not None:  # a tensor to be like says the processor to C++
                args, kwargs = (args[0], place, *dtypes), {}
        with torch._C.DisableTorchFunctionSubclass():
            return func(*args, **kwargs)

    @classmethod
    def __torch_dispatch__(
        cls, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        del types
        return _run(func, args, kwargs or {})


def _target(func: Callable, args: tuple, kwargs: dict) -> tuple[torch.device | None, list]:
    """Return where a call of Tensor.cpu or Tensor.to goes, and which dtype it asks for."""
    given = [*args, *kwargs.values()]
    dtypes = [one for one in given if isinstance(one, torch.dtype)]
    like = [one for one in given if isinstance(one, Tensor)]
    if func is Tensor.cpu:
        return CPU, []
    places = [torch.device(one) for one in given if isinstance(one, str | torch.device)]
    places += [one.device for one in like]
    return (places[0] if places else None), dtypes + [one.dtype for one in like]


class PretendedGpu(FakeTensorMode):
    """Within it ``cuda`` is a device: what is made there or moved there is ``OnGpu``."""

    def __torch_dispatch__(
        self, func: Callable, types: Any, args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        del types
        return _run(func, args, kwargs or {})


def _run(func: Callable, args: tuple, kwargs: dict) -> Any:
    """Check the devices of a call with fakes of its tensors; compute it on the processor."""
    given: list[Any] = []
    tree_map(given.append, (args, kwargs))
    on_gpu = any(isinstance(one, OnGpu) for one in given)
    if not on_gpu and GPU not in given:
        return func(*args, **kwargs)
    told = _places(func, args, kwargs)
    held_args, held_kwargs = tree_map(_held, (args, kwargs))
    result = func(*held_args, **held_kwargs)
    devices = iter(told or ())

    def placed(tensor: Tensor) -> Tensor:
        place = next(devices, None)
        is_there = on_gpu if place is None else place.type == GPU.type
        return OnGpu(tensor) if is_there else tensor

    return return_and_correct_aliasing(func, args, kwargs, tree_map_only(Tensor, placed, result))


def _places(func: Callable, args: tuple, kwargs: dict) -> list[torch.device] | None:
    """Return the devices of a call's results; None where only running it tells their number.

    They are asked for once: FakeTensorMode takes longer than most of the calls themselves.
    """
    asked = func, _decides(args), _decides(kwargs)
    if asked not in _KNOWN:
        _KNOWN[asked] = _asked(func, args, kwargs)
    return _KNOWN[asked]


_KNOWN: dict[tuple, list[torch.device] | None] = {}
"""What FakeTensorMode said of calls; what it refuses is asked anew every time."""


def _decides(value: Any) -> Any:
    """Return what of an argument decides over devices: no numbers, and of shapes only whether they
    are those of a number, which any device takes."""
    if isinstance(value, Tensor):
        return value.device, value.dtype, value.dim() == 0, value.numel() == 1
    if isinstance(value, list | tuple):
        return tuple(_decides(one) for one in value)
    if isinstance(value, dict):
        return tuple((name, _decides(one)) for name, one in value.items())
    return type(value) if isinstance(value, bool | int | float | complex) else value


def _asked(func: Callable, args: tuple, kwargs: dict) -> list[torch.device] | None:
    """Run a call on fakes of its tensors; an error where a real GPU would refuse it."""
    fake_args, fake_kwargs = tree_map_only(Tensor, _fake, (args, kwargs))
    found: list[torch.device] = []
    try:
        with _CHECK, warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torchvision's own fakes
            made = func(*fake_args, **fake_kwargs)
    except _UNKNOWN_BEFORE_IT_RUNS:
        return None
    tree_map_only(Tensor, lambda one: found.append(one.device), made)
    return found


def _fake(tensor: Tensor) -> FakeTensor:
    outline = torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="meta")
    return FakeTensor(_CHECK, outline, tensor.device)


def _held(value: Any) -> Any:
    if isinstance(value, OnGpu):
        return value.held
    return CPU if isinstance(value, torch.device) and value.type == GPU.type else value


def moved(network: nn.Module) -> nn.Module:
    """Put a network's weights and buffers on the pretended GPU, in place."""
    for module in network.modules():
        for name, weight in module._parameters.items():
            if weight is not None:
                made = nn.Parameter(OnGpu(weight.detach()), weight.requires_grad)
                module._parameters[name] = made
        for name, values in module._buffers.items():
            if values is not None:
                module._buffers[name] = OnGpu(values.detach())
    return network
