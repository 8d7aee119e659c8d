"""Training in several processes that now and then take the mean of their weights (local SGD,
Stich 2019). Unlike a mean of gradients at every step, one slow core does not hold up the other.

    python -m torch.distributed.run --nproc-per-node 2 -m scripts.training.train_bundled ...
"""

import os
import time

import torch
import torch.distributed as dist
from torch import nn

MEET_EVERY_S = 45.0


def join() -> tuple[int, int]:
    """Return (rank, processes); joins the group when torch.distributed.run started us."""
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if processes > 1:
        dist.init_process_group("gloo")
        return dist.get_rank(), processes
    return 0, 1


class Meetings:
    """When the processes meet, and what they then do; alone, every step is a meeting."""

    def __init__(self, processes: int) -> None:
        self.processes = processes
        self.next = time.time() + MEET_EVERY_S

    def hold(self, student: nn.Module, seen: int) -> tuple[bool, int]:
        """Return (met, crops seen by all); at a meeting every weight becomes the mean of all."""
        if self.processes == 1:
            return True, seen
        if time.time() < self.next:
            return False, seen
        self.next += MEET_EVERY_S
        values = [v for v in student.state_dict().values() if v.is_floating_point()]
        flat = torch.cat([v.flatten() for v in values] + [torch.tensor([float(seen)])])
        dist.all_reduce(flat)
        flat /= self.processes
        for value, mean in zip(values, flat[:-1].split([v.numel() for v in values]), strict=True):
            value.copy_(mean.view(value.shape))
        return True, round(flat[-1].item())
