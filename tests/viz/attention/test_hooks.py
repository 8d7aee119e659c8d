"""Hooks, modes and the model's lock are borrowed, and given back in every case."""

import threading

import pytest
import torch

from tests.viz.attention.captured import hooks, odd_modes
from viz.attention.hooks import listening


def nothing(*_args):
    return None


def test_hooks_are_on_and_the_lock_is_held_only_inside(nl_model):
    network = nl_model.network
    with listening(nl_model, [(network.conv1, nothing), (network.layer4, nothing)]):
        assert nl_model.lock.locked()
        assert len(hooks(network)) == 2
        assert len(hooks(network.conv1)) == len(hooks(network.layer4)) == 1
    assert hooks(network) == []
    assert not nl_model.lock.locked()


def test_every_module_is_in_eval_mode_inside_and_as_it_was_afterwards(nl_model):
    modes = odd_modes(nl_model.network)
    assert len(set(modes)) == 2
    with listening(nl_model, ()):
        assert not any(module.training for module in nl_model.network.modules())
    assert [module.training for module in nl_model.network.modules()] == modes


def test_what_breaks_inside_leaves_nothing_behind(nl_model):
    network = nl_model.network
    modes = odd_modes(network)
    with (
        pytest.raises(KeyboardInterrupt),
        listening(nl_model, [(network.conv1, nothing)]),
    ):
        raise KeyboardInterrupt
    assert hooks(network) == []
    assert [module.training for module in network.modules()] == modes
    assert not nl_model.lock.locked()


def test_a_hook_that_cannot_be_set_takes_those_before_it_off_again(cgnl_model):
    network = cgnl_model.network
    modes = odd_modes(network)

    def listeners():
        yield network.conv1, nothing
        assert len(hooks(network)) == 1
        yield network.layer1, nothing
        raise KeyError("res4_4")

    with pytest.raises(KeyError), listening(cgnl_model, listeners()):
        pytest.fail("the hooks could not be set")
    assert hooks(network) == []
    assert [module.training for module in network.modules()] == modes
    assert not cgnl_model.lock.locked()


def test_hooks_of_others_stay_on(nl_model):
    other = nl_model.network.conv1.register_forward_hook(nothing)
    with listening(nl_model, [(nl_model.network.conv1, nothing)]):
        assert len(hooks(nl_model.network)) == 2
    assert len(hooks(nl_model.network)) == 1
    other.remove()


def test_a_second_listener_waits_for_the_first(nl_model):
    order, inside = [], threading.Event()

    def first():
        with listening(nl_model, ()):
            inside.set()
            order.append("first in")
            assert not done.wait(0.2)
            order.append("first out")

    done = threading.Event()
    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(10)
    with listening(nl_model, ()):
        order.append("second in")
        done.set()
    thread.join(10)
    assert order == ["first in", "first out", "second in"]


def test_it_runs_nothing_itself(nl_model):
    runs = []
    with listening(nl_model, [(nl_model.network, lambda *_args: runs.append(1))]):
        assert runs == []
        with torch.no_grad():
            nl_model.network(torch.zeros(1, 3, 1, 32, 32))
    assert runs == [1]
