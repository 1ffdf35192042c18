"""A discriminator used directly: its hidden layers as the features of an image.

The paper's Table 1 probes the last hidden layer ("single"), and that layer beside the pooled maps
of the blocks at 32, 16 and 8 pixels ("multi").
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.data.images import ImageSet
from squeezespan.data.notices import say
from squeezespan.discriminators.files import load_discriminator, read_discriminator_provenance
from squeezespan.discriminators.projected.files import discriminator_file
from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.errors import UserError
from squeezespan.files import file_sha256
from squeezespan.hardware import autocast
from squeezespan.models.student_file import Backbone
from squeezespan.randomness import StepRandom
from squeezespan.seen import LABELS

__all__ = ["DiscriminatorBackbone", "DiscriminatorFeatures", "load_discriminator_backbone"]

_BLOCKS = ("b32", "b16", "b8")
_LAST = "fc"
_SAMPLE = 4096
_AT_ONCE = 256


class DiscriminatorFeatures(nn.Module):
    """Hidden layers of a StyleGAN2 discriminator, each image's the same whatever is beside it.

    A discriminator's last layers see how much the images of a batch differ (the minibatch standard
    deviation). The authors of arXiv 2211.03000 take it over each batch, so that a feature depends
    on the images around it. Here it is a number that is measured once, over many images taken as
    one batch, and then stands for that of every batch.

    Args:
        discriminator: frozen, of RGB images.
        multi: whether the pooled maps of the blocks at 32, 16 and 8 pixels come before the last
            hidden layer.

    Attributes:
        layers: whose features are concatenated, in order.
        widths: layer to the width of its features.
        num_features: width of the features.
    """

    statistic: Tensor

    def __init__(self, discriminator: StyleGAN2Discriminator, *, multi: bool) -> None:
        super().__init__()
        self.discriminator = discriminator
        config = discriminator.config
        sides = [side for side in (32, 16, 8) if side <= config.resolution] if multi else []
        self.layers = (*(f"b{side}" for side in sides), _LAST)
        channels = [config.block_channels(side // 2) for side in sides] + [config.block_channels(4)]
        self.widths = dict(zip(self.layers, channels, strict=True))
        self.num_features = sum(channels)
        # NaN until it is measured, so that a forgotten measurement can't go unnoticed.
        self.register_buffer("statistic", torch.full((config.mbstd_channels,), float("nan")))

    def forward(self, images: Tensor) -> Tensor:
        """Compute features.

        Args:
            images: float [B, 3, R, R] in [-1, 1].

        Returns:
            float32 [B, num_features].
        """
        x, image, features = self._maps(images)
        with autocast(images.device, torch.float32):
            epilogue = self.discriminator.b4
            features[_LAST] = epilogue.hidden(epilogue.enter(x, image), self.statistic)
            found = [features[name].float() for name in self.layers]
            return torch.cat([y if y.ndim == 2 else y.mean((2, 3)) for y in found], dim=1)

    @torch.no_grad()
    def measure(self, batches: Iterable[Tensor]) -> None:
        """Measure the standard deviation over all images of `batches`, as if they were one.

        Args:
            batches: float [B, 3, R, R] in [-1, 1] each.

        Raises:
            UserError: its maps are not finite.
        """
        if not len(self.statistic):
            return
        count, total, squares = 0, torch.zeros(()), torch.zeros(())
        for images in batches:
            x, image, _ = self._maps(images)
            with autocast(images.device, torch.float32):
                # On the CPU, because not every device has double precision.
                entering = self.discriminator.b4.enter(x, image).cpu().double()
            count += len(entering)
            total = total + entering.sum(dim=0)
            squares = squares + entering.square().sum(dim=0)
        variance = (squares / count - (total / count).square()).clamp_min(0)
        std = (variance + 1e-8).sqrt().reshape(len(self.statistic), -1).mean(dim=1)
        if not std.isfinite().all():
            raise UserError("the discriminator's maps are not finite numbers; its file is damaged")
        self.statistic.copy_(std)

    def _maps(self, images: Tensor) -> tuple[Tensor, Tensor | None, dict[str, Tensor]]:
        # Convolutions in the precision that is asked for, as in training; the rest in float32.
        kind = images.device.type
        lower = torch.is_autocast_enabled(kind)
        dtype = torch.get_autocast_dtype(kind) if lower else torch.float32
        self.discriminator.set_compute_dtype(dtype)
        with autocast(images.device, torch.float32):
            return self.discriminator.maps(images.float())


class DiscriminatorBackbone(Backbone):
    """A discriminator where a trained student can stand; `prepare` it before the first image."""

    network: DiscriminatorFeatures

    def forward(self, images: Tensor) -> Tensor:
        """Compute features; see `Backbone.forward`.

        Raises:
            UserError: not a batch of RGB images of the discriminator's size, or `prepare` was
                not called.
        """
        if self.unprepared:
            raise UserError(
                "a discriminator's features need the spread of its images: "
                "call backbone.prepare(images) with the train split first"
            )
        return super().forward(images)

    @property
    def unprepared(self) -> bool:
        """Whether the minibatch standard deviation is still to be measured."""
        return bool(self.network.statistic.isnan().any())

    def prepare(self, images: ImageSet) -> None:
        """Measure the minibatch standard deviation on at most 4,096 images, evenly spaced.

        Args:
            images: to learn from, never test images; of any resolution.
        """
        statistic = self.network.statistic
        if not len(statistic):
            return
        count = min(_SAMPLE, len(images))
        chosen = torch.arange(count) * len(images) // max(count, 1)
        resize = Augment(AugmentConfig(enabled=False), self.resolution)
        self.network.measure(
            (resize(images.batch(rows).to(statistic.device), StepRandom(0)) - self.mean) / self.std
            for rows in torch.split(chosen, _AT_ONCE)
        )
        provenance = self.header["provenance"]
        provenance["minibatch_std"] = {
            "value": statistic.tolist(),
            "images": count,
            "data": images.name,
        }
        say(
            f"{provenance['discriminator']}: its minibatch standard deviation is fixed to that of "
            f"{count:,} train images of {images.name}, so that no feature depends on other images"
        )


def load_discriminator_backbone(
    path: str, multi: bool, device: torch.device | str = "cpu"
) -> DiscriminatorBackbone:
    """Open a StyleGAN2 discriminator as a source of features, in eval mode.

    Args:
        path: as for `load_discriminator`.
        multi: as for `DiscriminatorFeatures`.
        device: where its parameters go.

    Raises:
        UserError: as `load_discriminator`, or it doesn't judge RGB images.
    """
    discriminator = load_discriminator(path)
    config = discriminator.config
    if config.channels != 3:
        raise UserError(
            f"{path} judges images of {config.channels} channels; features are of RGB images"
        )
    network = DiscriminatorFeatures(discriminator, multi=multi)
    told = read_discriminator_provenance(path).get("saw")
    saw = list(told) if isinstance(told, list) else []
    if config.num_classes and LABELS not in saw:
        saw.insert(0, LABELS)
    provenance: dict[str, Any] = {
        "discriminator": path,
        "sha256": file_sha256(discriminator_file(path)),
        "layers": list(network.layers),
        **({"saw": saw} if saw else {}),
    }
    header = {
        "arch": f"StyleGAN2 discriminator, {' + '.join(network.layers)}",
        "num_features": network.num_features,
        "resolution": config.resolution,
        "normalization": {"mean": [0.5] * 3, "std": [0.5] * 3},
        "provenance": provenance,
    }
    return DiscriminatorBackbone(network, header).eval().to(device)
