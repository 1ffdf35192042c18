"""Every method's losses on a GPU that is only pretended."""

from typing import Literal

import pytest
import torch
from fake_gpu import FAKE_GPU, FakeTensorMode, move_to_fake_gpu
from torch import Tensor

from squeezespan.config import DistillConfig, ImagesConfig, MethodConfig, StudentConfig
from squeezespan.methods.base import Batch
from squeezespan.methods.registry import build_method

WIDTHS = {"b4": 8, "b8": 4}


def views() -> tuple[Tensor, Tensor]:
    first, second = (torch.empty(4, 3, 32, 32, device=FAKE_GPU) for _ in range(2))
    return first, second


@pytest.mark.parametrize("target", ["squeeze", "standardized", "raw"])
@pytest.mark.parametrize("name", ["squeeze-span", "vicreg", "simsiam"])
def test_nothing_strays_from_the_device(
    name: Literal["squeeze-span", "vicreg", "simsiam"],
    target: Literal["squeeze", "standardized", "raw"],
) -> None:
    config = DistillConfig(
        method=MethodConfig(name, 0.5, target=target, hidden_dim=16),
        student=StudentConfig(arch="resnet10-narrow"),
        images=ImagesConfig(resolution=32),
    )
    method = build_method(config, WIDTHS).train()
    with FakeTensorMode(allow_non_fake_inputs=True):
        move_to_fake_gpu(method)
        source = {block: torch.empty(4, width, device=FAKE_GPU) for block, width in WIDTHS.items()}
        losses = method(Batch(real_views=views(), synthetic_views=views(), source=source))
    assert {loss.device for loss in losses.values()} == {FAKE_GPU}
