"""One step of Projected GAN: hinge losses on a frozen network's features, weight average."""

from typing import Any

import torch
from torch import Tensor

from squeezespan.discriminators.projected.network import (
    ProjectedDiscriminator,
    ProjectedDiscriminatorConfig,
)
from squeezespan.discriminators.projected.sources import open_features
from squeezespan.errors import UserError
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.diffaugment import diff_augment
from squeezespan.gan.networks import build_fastgan, build_stylegan2
from squeezespan.gan.optimizers import adam, lazy_ratio
from squeezespan.gan.share import Share
from squeezespan.gan.step import GanStep
from squeezespan.gan.trained import TrainedGan, add_gradients
from squeezespan.generators.base import Latents
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.losses.gan import discriminator_hinge, generator_hinge
from squeezespan.models.batchnorm import convert_sync_batchnorm
from squeezespan.randomness import Rows

__all__ = ["AnyStep", "ProjectedStep"]

_W_AVG_BETA = 0.998
"""Published with this step; 0.995 with StyleGAN2-ADA."""


class ProjectedStep(TrainedGan[StyleGAN2Generator | FastGANGenerator, ProjectedDiscriminator]):
    """Networks, optimizers and everything else that one step changes.

    Args:
        config: the run's settings.
        num_classes: 0 for an unconditional GAN.
        device: where the networks live.
        dtype: that they compute in; parameters and logits stay float32. In float16 only StyleGAN2's
            generator computes, as published.
        share: this process's of every batch, which it computes at once; by default all.

    Raises:
        UserError: the feature network is not usable, or FastGAN is to compute in float16.
    """

    def __init__(
        self,
        config: GanTrainConfig,
        num_classes: int,
        device: torch.device,
        dtype: torch.dtype,
        share: Share | None = None,
    ) -> None:
        settings, train = config.projected, config.train
        self.features = open_features(
            settings.features,
            config.side,
            weights=settings.weights,
            side=None if settings.side == "auto" else settings.side,
        ).to(device)
        generator = _build_generator(config, num_classes, dtype).to(device)
        generator.set_compute_dtype(dtype)
        sizes = ProjectedDiscriminatorConfig(
            feature_channels=self.features.channels,
            channels=settings.channels,
            num_classes=num_classes,
            separable=settings.separable,
        )
        discriminator = ProjectedDiscriminator(sizes).train().to(device)
        judging = torch.float32 if dtype == torch.float16 else dtype
        self.features.compute_dtype = judging
        discriminator.set_compute_dtype(judging)
        # The published training slows the discriminator down for R1 terms that it doesn't have.
        own_rate = train.discriminator_learning_rate or train.learning_rate
        optimizers = (
            adam(generator.parameters(), train.learning_rate, 1.0),
            adam(discriminator.heads.parameters(), own_rate, lazy_ratio(config.loss.r1_interval)),
        )
        super().__init__(config, share or Share(), (generator, discriminator), optimizers)
        if self.share.world_size > 1:
            for network in (self.generator, self.discriminator):
                convert_sync_batchnorm(network)

    @property
    def provenance(self) -> dict[str, Any]:
        """What the file of a GAN that learnt from this feature network says of it."""
        return {"features": self.features.facts, "saw": list(self.features.origin.saw)}

    def rows(self) -> Rows:
        """Which samples of a batch are this process's."""
        (part,) = self.share.plain(self.config.train.batch_size)
        return part

    def run(self, step: int, real: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        """Train both networks on one batch.

        Args:
            step: counted from 0; decides the random numbers.
            real: this process's images, as `rows` tells, float32 [n, 3, R, R] in [-1, 1].
            labels: class indices of `real`, int64 [n]; None for an unconditional GAN.

        Returns:
            Named losses and statistics of the whole batch, scalars on the device.
        """
        numbers: dict[str, Tensor] = {}
        part = self.rows()
        learns = self._begin(step)
        if learns:
            self.discriminator.requires_grad_(False)
            self.generator.requires_grad_(True)
            numbers["loss/generator"] = self._train_generator(step, part)
        self.discriminator.requires_grad_(True)
        self.generator.requires_grad_(False)
        numbers |= self._train_discriminator(step, part, real, labels)
        if learns:
            self._move_average(step)
        return self.share.sum_numbers((name, x * part.share) for name, x in numbers.items())

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint keeps: tensors and primitives.

        The feature network, which nothing changes, is kept as a checksum.
        """
        return super().state() | {"features_sha256": self.features.sha256}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state.

        Raises:
            UserError: the feature network has other weights than those that the run began with.
        """
        self.features.check_same(state["features_sha256"])
        super().load(state)

    def _generate(self, step: int, part: Rows, stream: str) -> tuple[Tensor, Latents]:
        """Images of the network in training, and their latents."""
        random = self._random(step, stream, part)
        latents = self.generator.sample_latents(len(part), random)
        if isinstance(self.generator, FastGANGenerator):
            return self.generator(latents, noise="random", random=random).images, latents
        w = self.generator.mapping(latents.z, latents.labels)
        if stream == "discriminator":
            self.generator.mapping.track(self.share.sum(w.mean(dim=0) * part.share))
        ws = w[:, None].expand(-1, self.generator.synthesis.num_ws, -1)
        return self.generator.synthesise(ws, noise="random", random=random).images, latents

    def _judge(
        self, images: Tensor, labels: Tensor | None, step: int, stream: str, part: Rows
    ) -> Tensor:
        if self.config.projected.diffaugment:
            images = diff_augment(images, self._random(step, f"augment-{stream}", part))
        logits: Tensor = self.discriminator(self.features(images), labels)
        return logits

    def _train_generator(self, step: int, part: Rows) -> Tensor:
        images, latents = self._generate(step, part, "generator")
        loss = generator_hinge(self._judge(images, latents.labels, step, "generator", part))
        add_gradients(loss * part.share)
        self._descend(self.generator, self.generator_optimizer)
        return loss.detach()

    def _train_discriminator(
        self, step: int, part: Rows, real: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            fake, latents = self._generate(step, part, "discriminator")
        on_fake = self._judge(fake, latents.labels, step, "fake", part)
        on_real = self._judge(real, labels, step, "real", part)
        loss = discriminator_hinge(on_real, on_fake)
        add_gradients(loss * part.share)
        self._descend(self.discriminator, self.discriminator_optimizer)
        return {
            "loss/discriminator": loss.detach(),
            "logits/real": on_real.detach().mean(),
            "logits/fake": on_fake.detach().mean(),
            "sign_real": on_real.detach().sign().mean(),
        }


def _build_generator(
    config: GanTrainConfig, num_classes: int, dtype: torch.dtype
) -> StyleGAN2Generator | FastGANGenerator:
    if config.generator.family == "stylegan2":
        generator = build_stylegan2(config, num_classes)
        generator.mapping.w_avg_beta = _W_AVG_BETA
        return generator
    if dtype == torch.float16:
        raise UserError("FastGAN can't be trained in fp16; give --precision bf16 or fp32")
    return build_fastgan(config, num_classes)


AnyStep = GanStep | ProjectedStep
"""A step of either kind of training."""
