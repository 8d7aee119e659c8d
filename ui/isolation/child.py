"""A child: does one job after another until the server closes the socket."""

import gc
import socket

import errors
from errors import AttentionVizError
from ui.isolation import channel, limits
from ui.isolation.jobs import KINDS

READY = {"ready": True}
SELDOM = 100_000, 50, 100
"""New objects from one look for garbage to the next: a file is many objects, all of them in use."""
TOO_LARGE, PERHAPS_TOO_LARGE = "memory", "perhaps memory"
"""What failed where a file needs, or may need, more memory than is allowed."""


def main(descriptor: int) -> None:
    """Answer what comes over the socket of this descriptor."""
    limits.settle()
    gc.freeze()  # what was imported is not looked through again
    gc.set_threshold(*SELDOM)
    with socket.socket(fileno=descriptor) as server:
        channel.send(server, READY)
        channel.TELLER.server = server
        while True:
            try:
                request, blocks = channel.receive(server)
            except (channel.BrokenChannelError, OSError):
                return
            reply, made = _answered(request, blocks)
            channel.close(blocks)
            try:
                channel.send(server, reply, made)
            finally:
                channel.close(made)


def _answered(request: dict, blocks: list[int]) -> tuple[dict, list[int]]:
    """Do what is asked; a refusal is an answer, too."""
    kind = KINDS[request["kind"]]
    limits.start(request["megabytes"], request["seconds"], request["result_mb"])
    try:
        told, made = kind.job(request, blocks)
    except Exception as problem:  # files lead decoders to almost anything
        if errors.is_out_of_memory(problem):  # which readers take for damage
            return {"failed": TOO_LARGE}, []
        if _is_damage(problem) and limits.took_much():
            return {"failed": PERHAPS_TOO_LARGE}, []
        if isinstance(problem, AttentionVizError):
            return {"refused": type(problem).__name__, "line": str(problem)}, []
        return {"failed": type(problem).__name__}, []
    return {"told": told}, made


def _is_damage(problem: Exception) -> bool:
    """Tell whether it is a decoder of pictures that gave up."""
    return isinstance(problem, errors.MediaError) and "is damaged" in str(problem)


def refusal(reply: dict) -> AttentionVizError | None:
    """Return the refusal that a child sent, of the class that it had."""
    if "refused" not in reply:
        return None
    named = getattr(errors, str(reply["refused"]), errors.InputError)
    known = isinstance(named, type) and issubclass(named, AttentionVizError)
    return (named if known else errors.InputError)(str(reply.get("line", "")))
