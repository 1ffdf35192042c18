"""Presets of GAN training, one a function."""

import inspect
from collections.abc import Callable
from functools import partial

from squeezespan.errors import UserError
from squeezespan.gan.config import (
    GanAugmentConfig,
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanLossConfig,
    GanRunConfig,
    GanTrainConfig,
)
from squeezespan.presets.gan_projected import (
    projected_cpu,
    projected_fastgan,
    projected_fastgan_lite,
    projected_stylegan2,
    projected_stylegan2_imagenet100,
)
from squeezespan.presets.preset import Preset
from squeezespan.settings import closest

__all__ = [
    "AUTO",
    "GAN_PRESETS",
    "find_gan_preset",
    "stylegan2_cifar",
    "stylegan2_cpu",
    "stylegan2_stl10",
]


def stylegan2_cifar() -> GanTrainConfig:
    """StyleGAN2-ADA for 32x32 with the published `cfg=cifar` settings, for a large GPU.

    The paper's CIFAR-100 generator was trained so (appendix, Table 1).
    Hardware, time and distance to real images: unmeasured.
    """
    return GanTrainConfig(
        resolution=32,
        train=GanRunConfig(kimg=100000, batch_size=64, learning_rate=0.0025),
        generator=GanGeneratorConfig(channel_base=32768, mapping_layers=2),
        discriminator=GanDiscriminatorConfig(
            channel_base=32768, architecture="orig", mbstd_group_size=32
        ),
        loss=GanLossConfig(
            r1_gamma=0.01, path_length_weight=0.0, style_mixing=0.0, ema_kimg=500, ema_rampup=0.05
        ),
    )


def stylegan2_stl10() -> GanTrainConfig:
    """StyleGAN2-ADA for STL-10 at 128x128 with the paper's settings (appendix, Table 1).

    kimg 25000, batch 64, minibatch-std 8, half the channels, learning rate 0.0025, gamma 0.25,
    8 mapping layers; the rest, such as the weight average's half-life of 20 kimg, as the published
    `paper256`, which has these settings but for gamma. Hardware, time and distance to real images:
    unmeasured.
    """
    return GanTrainConfig(
        resolution=128,
        train=GanRunConfig(kimg=25000, batch_size=64, learning_rate=0.0025),
        generator=GanGeneratorConfig(channel_base=16384, mapping_layers=8),
        discriminator=GanDiscriminatorConfig(channel_base=16384, mbstd_group_size=8),
        loss=GanLossConfig(r1_gamma=0.25, ema_kimg=20, ema_rampup=None),
    )


def stylegan2_cpu() -> GanTrainConfig:
    """Small StyleGAN2-ADA for 32x32 images that a CPU trains in hours; the shipped GAN is one.

    256 channels at 4x4, 192 at 8x8, 96 at 16x16, 48 at 32x32; 2.2 million parameters. Measured on
    CIFAR-10 (JPEG), 1,192 thousand images in three parts with other learning rates at the end:
    Frechet distance 20.6 by EfficientNet-Lite0, 107 minutes for the last 650 thousand on two
    threads of an AMD EPYC in bf16; see results/gan-stylegan2-cifar10.
    """
    return GanTrainConfig(
        resolution=32,
        mirror=True,
        train=GanRunConfig(kimg=1500, batch_size=32, learning_rate=0.0025, snapshot_kimg=50),
        generator=GanGeneratorConfig(
            z_dim=128,
            w_dim=256,
            channel_base=1536,
            channel_max=256,
            mapping_layers=2,
            conv_clamp=None,
        ),
        discriminator=GanDiscriminatorConfig(
            channel_base=1536, channel_max=256, mbstd_group_size=8, conv_clamp=None
        ),
        loss=GanLossConfig(
            r1_gamma=0.01, path_length_weight=0.0, style_mixing=0.0, ema_kimg=500, ema_rampup=0.05
        ),
        augment=GanAugmentConfig(speed_kimg=500),
    )


AUTO = "auto"
"""The preset that looks at the images, which `gan_auto` makes."""

GAN_PRESETS: dict[str, Callable[[], GanTrainConfig]] = {
    "stylegan2-cifar": stylegan2_cifar,
    "stylegan2-stl10": stylegan2_stl10,
    "stylegan2-cpu": stylegan2_cpu,
    "projected-stylegan2": projected_stylegan2,
    "projected-stylegan2-imagenet100": projected_stylegan2_imagenet100,
    "projected-fastgan": projected_fastgan,
    "projected-fastgan-lite": projected_fastgan_lite,
    "projected-cpu": projected_cpu,
}


def find_gan_preset(name: str, data: str | None = None) -> Preset[GanTrainConfig]:
    """Give the preset of a GAN's training that is called `name`; its `build` makes settings.

    Args:
        name: as `squeezespan presets` lists it.
        data: spec of the images that `auto` looks at; the others don't.

    Raises:
        UserError: no preset has this name, and the message suggests the nearest one; no images for
            `auto`.
    """
    if name == AUTO:
        from squeezespan.presets.gan_auto import auto_gan_preset

        if data is None:
            raise UserError("the preset auto looks at the images: name their data spec, too")
        return _preset(AUTO, partial(auto_gan_preset, data))
    if name not in GAN_PRESETS:
        hint = closest(name, [AUTO, *GAN_PRESETS])
        raise UserError(
            f"there is no GAN preset {name!r}{hint}; there are {', '.join([AUTO, *GAN_PRESETS])}"
        )
    return _preset(name, GAN_PRESETS[name])


def _preset(name: str, make: Callable[[], GanTrainConfig]) -> Preset[GanTrainConfig]:
    documented = getattr(make, "func", make)
    return Preset(name, inspect.cleandoc(documented.__doc__ or ""), make)
