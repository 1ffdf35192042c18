"""Presets of Projected GAN (Sauer et al. 2021), one a function.

Sizes and rates are those of the published code's `cfg=stylegan2`, `fastgan` and `fastgan_lite`.
"""

from typing import Literal

from squeezespan.gan.config import (
    GanAugmentConfig,
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanLossConfig,
    GanProjectedConfig,
    GanRunConfig,
    GanTrainConfig,
)

__all__ = [
    "projected_cpu",
    "projected_fastgan",
    "projected_fastgan_lite",
    "projected_stylegan2",
    "projected_stylegan2_imagenet100",
]

_NO_ADA = GanAugmentConfig(enabled=False)
_PROJECTED = GanDiscriminatorConfig(family="projected")


def projected_stylegan2() -> GanTrainConfig:
    """Projected GAN's StyleGAN2 with the published settings, at the images' resolution.

    z 64, w 128, two mapping layers, learning rate 0.002, separable heads, batch 64, as
    `cfg=stylegan2` in the published code. Hardware, time and distance to real images: unmeasured.
    """
    return _stylegan2(batch_size=64)


def projected_stylegan2_imagenet100() -> GanTrainConfig:
    """Projected GAN's StyleGAN2 for ImageNet-100 at 128x128, as the paper's teacher there.

    Batch 128, horizontal flips, 25,000 kimg, for a large GPU; its features saw ImageNet and its
    labels, which the file says. Hardware, time and distance to real images: unmeasured.
    """
    return _stylegan2(batch_size=128, resolution=128, mirror=True)


def projected_fastgan() -> GanTrainConfig:
    """Projected FastGAN with the published settings, for 64 to 1024 pixels.

    z 256, 128 channels at 128x128, learning rate 0.0002, batch 64, as `cfg=fastgan` in the
    published code. Hardware, time and distance to real images: unmeasured.
    """
    return _fastgan("fastgan")


def projected_fastgan_lite() -> GanTrainConfig:
    """Projected FastGAN with one convolution a block, for 64 to 1024 pixels.

    As `projected-fastgan` otherwise: `cfg=fastgan_lite` in the published code. Hardware, time and
    distance to real images: unmeasured.
    """
    return _fastgan("fastgan-lite")


def projected_cpu() -> GanTrainConfig:
    """Small Projected GAN for 32x32 images and a CPU, to look at what it does.

    About the generator of `stylegan2-cpu`; images are enlarged to 128 pixels for the features. An
    image costs about 2.5 times as much as with `stylegan2-cpu`; the distance to real images is
    unmeasured.
    """
    return GanTrainConfig(
        resolution=32,
        mirror=True,
        train=GanRunConfig(kimg=100, batch_size=32, learning_rate=0.002, snapshot_kimg=10),
        generator=GanGeneratorConfig(
            z_dim=64,
            w_dim=128,
            channel_base=1536,
            channel_max=256,
            mapping_layers=2,
            conv_clamp=None,
        ),
        discriminator=_PROJECTED,
        projected=GanProjectedConfig(side=128, channels=32),
        loss=_hinge(32),
        augment=_NO_ADA,
    )


def _stylegan2(
    batch_size: int, resolution: int | Literal["auto"] = "auto", mirror: bool = False
) -> GanTrainConfig:
    return GanTrainConfig(
        resolution=resolution,
        mirror=mirror,
        train=GanRunConfig(kimg=25000, batch_size=batch_size, learning_rate=0.002),
        generator=GanGeneratorConfig(z_dim=64, w_dim=128, channel_base=32768, mapping_layers=2),
        discriminator=_PROJECTED,
        loss=_hinge(batch_size),
        augment=_NO_ADA,
    )


def _fastgan(family: Literal["fastgan", "fastgan-lite"]) -> GanTrainConfig:
    return GanTrainConfig(
        train=GanRunConfig(kimg=25000, batch_size=64, learning_rate=0.0002),
        generator=GanGeneratorConfig(family=family, z_dim=256),
        discriminator=_PROJECTED,
        projected=GanProjectedConfig(separable=False),
        loss=_hinge(64),
        augment=_NO_ADA,
    )


def _hinge(batch_size: int) -> GanLossConfig:
    """No regularization; the average's half-life grows with the batch."""
    return GanLossConfig(
        r1_gamma=0.0,
        path_length_weight=0.0,
        style_mixing=0.0,
        ema_kimg=batch_size * 10 / 32,
        ema_rampup=0.05,
    )
