"""Every method's losses on a GPU that is only pretended."""

from typing import Literal

import pytest
import torch
from fake_gpu import FAKE_GPU, FakeTensorMode, move_to_fake_gpu
from torch import Tensor

from squeezespan.config import DistillConfig, ImagesConfig, MethodConfig, StudentConfig
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.methods.base import Batch
from squeezespan.methods.perceptual import EfficientNetDistance
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


@pytest.mark.parametrize("side", [32, 16])
def test_an_image_is_made_again_where_the_student_is(side: int) -> None:
    generator = StyleGAN2Generator(StyleGAN2Config(32, w_dim=16, channel_base=256, channel_max=16))
    perceptual = EfficientNetDistance()
    generator.freeze()
    config = DistillConfig(
        method=MethodConfig("encoding", 0.5, projector_layers=2),
        student=StudentConfig(arch="resnet10-narrow"),
        images=ImagesConfig(resolution=side),
    )
    latents = generator.info.num_ws * generator.info.w_dim
    method = build_method(config, {"w+": latents}, generator, perceptual).train()
    with FakeTensorMode(allow_non_fake_inputs=True):
        for module in (method, generator, perceptual):
            move_to_fake_gpu(module)
        images = torch.empty(4, 3, side, side, device=FAKE_GPU)
        batch = Batch(
            real_views=views(),
            synthetic_views=views(),
            source={"w+": torch.empty(4, latents, device=FAKE_GPU)},
            real_images=images,
            synthetic_images=images,
        )
        losses = method(batch)
    assert {loss.device for loss in losses.values()} == {FAKE_GPU}
    assert "real/efficientnet_lite0" in losses
