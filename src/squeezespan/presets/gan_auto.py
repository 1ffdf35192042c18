"""`gan train --preset auto`: settings that follow from the images and the machine."""

from squeezespan.data.specs import find_images
from squeezespan.gan.config import (
    GanAugmentConfig,
    GanDiscriminatorConfig,
    GanGeneratorConfig,
    GanLossConfig,
    GanRunConfig,
    GanTrainConfig,
)
from squeezespan.gan.resolution import fitting_resolution
from squeezespan.hardware import resolve_device

__all__ = ["auto_gan_config", "auto_gan_preset"]

_FEW_IMAGES = 5000
_SNAPSHOTS = 25


def auto_gan_preset(
    data: str,
    *,
    resolution: int | None = None,
    batch_size: int | None = None,
    device: str = "auto",
) -> GanTrainConfig:
    """StyleGAN2-ADA with sizes and weights by the images' resolution and number, and by the device.

    Args:
        data: spec of the images.
        resolution: side, pixels, a power of two; None is the largest one within the images.
        batch_size: None follows from the resolution; the weight of R1 follows from it.
        device: as `resolve_device` takes it.

    Raises:
        UserError: no such images or device.
    """
    found = find_images(data, "train")
    side = resolution or fitting_resolution(found.sizes.side)
    config = auto_gan_config(side, len(found), resolve_device(device).type, batch_size)
    return GanTrainConfig(
        data=data,
        resolution=side,
        train=config.train,
        generator=config.generator,
        discriminator=config.discriminator,
        loss=config.loss,
        augment=config.augment,
    )


def auto_gan_config(
    side: int, images: int, device: str, batch_size: int | None = None
) -> GanTrainConfig:
    """Give the settings for images of a size; the page on GAN training has the rules as a table.

    On a GPU they are those of StyleGAN2-ADA's automatic configuration for one GPU (Karras et al.
    2020, published code), but for the length with few images. On a CPU the networks are as narrow
    as those of the GAN that comes with the package.

    Args:
        side: of the images, pixels.
        images: how many there are.
        device: `cpu`, or any other for a GPU.
        batch_size: None follows from the resolution.
    """
    cpu = device == "cpu"
    few = images < _FEW_IMAGES
    if batch_size is None:
        batch_size = _cpu_batch(side) if cpu else max(min(4096 // side, 32), 4)
    kimg = (500.0 if few else 1500.0) if cpu else (5000.0 if few else 25000.0)
    base = max(1536, 16 * side) if cpu else (16384 if side < 512 else 32768)
    most = 256 if cpu else 512
    clamp = None if cpu else 256.0
    small = side <= 32
    return GanTrainConfig(
        resolution=side,
        train=GanRunConfig(
            kimg=kimg,
            batch_size=batch_size,
            learning_rate=0.0025 if side < 1024 else 0.002,
            snapshot_kimg=kimg / _SNAPSHOTS,
        ),
        generator=GanGeneratorConfig(
            z_dim=128 if cpu else 512,
            w_dim=256 if cpu else 512,
            channel_base=base,
            channel_max=most,
            mapping_layers=2,
            conv_clamp=clamp,
        ),
        discriminator=GanDiscriminatorConfig(
            channel_base=base,
            channel_max=most,
            mbstd_group_size=_group(batch_size),
            conv_clamp=clamp,
        ),
        loss=GanLossConfig(
            r1_gamma=0.0002 * side**2 / batch_size,
            path_length_weight=0.0 if cpu or small else 2.0,
            style_mixing=0.0 if small else 0.9,
            ema_kimg=batch_size * 10 / 32,
        ),
        augment=GanAugmentConfig(speed_kimg=100.0 if few else 500.0),
    )


def _cpu_batch(side: int) -> int:
    return 32 if side <= 32 else 16 if side <= 128 else 8


def _group(batch_size: int) -> int:
    """The largest group of at most four that divides the batch."""
    return max(size for size in (4, 3, 2, 1) if batch_size % size == 0)
