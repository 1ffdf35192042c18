"""Settings of real trainings made so small that a step takes a moment."""

from dataclasses import replace
from pathlib import Path

from checkpoint_files.networks import make_discriminator
from tiny_alexnet import put_alexnet
from tiny_runs import make_gan, make_images

from squeezespan.config import DistillConfig
from squeezespan.discriminators.files import save_discriminator

__all__ = ["put_material", "shrunk"]

_SIZES = {"channel_base": 256, "channel_max": 8}


def put_material(folder: Path) -> None:
    """Put images, two generators, a discriminator and AlexNet into a folder."""
    make_images(folder / "images", per_class=6)
    make_gan(folder / "32.safetensors", resolution=32, **_SIZES)
    make_gan(folder / "128.safetensors", resolution=128, **_SIZES)
    save_discriminator(folder / "discriminator.safetensors", make_discriminator(), {})
    put_alexnet(folder / "hub")


def shrunk(config: DistillConfig, folder: Path, batch_size: int = 4) -> DistillConfig:
    """The same with two steps, a narrow student and whatever images and GAN are there."""
    method = config.method
    follows = method.target != "squeeze" or method.name == "encoding"
    side = 32 if config.images.resolution == "auto" else config.images.resolution
    kind = (config.discriminator or "").partition(":")[0]
    gan = folder / ("32.safetensors" if side <= 32 else "128.safetensors")
    return replace(
        config,
        data=f"folder:{folder / 'images'}",
        gan=str(gan) if method.alpha > 0 else None,
        discriminator=f"{kind}:{folder / 'discriminator.safetensors'}" if kind else None,
        train=replace(
            config.train,
            batch_size=batch_size,
            device="cpu",
            precision="fp32",
            num_workers=0,
            max_steps=2,
        ),
        method=replace(
            method,
            embed_dim=None if follows else 16,
            hidden_dim=16,
            projector_dim=16 if method.projector_dim else None,
            predictor_dim=8,
            patches=3,
        ),
        student=replace(config.student, arch="resnet10-narrow"),
        images=replace(config.images, unlabeled=False, resolution=side),
        monitor=replace(config.monitor, knn_every=0),
    )
