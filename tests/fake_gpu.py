"""A GPU that is only pretended: shapes and devices are followed, nothing is computed.

An operation on tensors of two devices fails there as it does on a real one, so machines without a
GPU can test that code keeps to its device.
"""

import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode

from squeezespan.randomness import StepRandom

__all__ = ["FAKE_GPU", "FakeRandom", "FakeTensorMode", "move_to_fake_gpu"]

FAKE_GPU = torch.device("cuda", 0)


class FakeRandom(StepRandom):
    """Gives tensors of the right shapes on the GPU; torch can't pretend its random generator."""

    def __init__(self) -> None:
        self.rank, self.world_size, self.device = 0, 1, FAKE_GPU

    def normal(self, n: int, *shape: int) -> Tensor:
        return torch.empty(n, *shape, device=FAKE_GPU)

    def integers(self, n: int, *shape: int, high: int) -> Tensor:
        return torch.empty(n, *shape, dtype=torch.int64, device=FAKE_GPU)


def move_to_fake_gpu(module: nn.Module) -> None:
    """Replace parameters and buffers by pretended ones, inside a `FakeTensorMode`."""
    for part in module.modules():
        for name, parameter in part._parameters.items():
            if parameter is not None:
                moved = torch.empty_like(parameter, device=FAKE_GPU)
                part._parameters[name] = nn.Parameter(moved, parameter.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = torch.empty_like(buffer, device=FAKE_GPU)
