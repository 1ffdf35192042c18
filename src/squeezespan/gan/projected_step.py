"""One step of Projected GAN: hinge losses on a frozen network's features, weight average."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.discriminators.projected.network import (
    ProjectedDiscriminator,
    ProjectedDiscriminatorConfig,
)
from squeezespan.discriminators.projected.sources import open_features
from squeezespan.errors import UserError
from squeezespan.gan.average import move_average
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.diffaugment import diff_augment
from squeezespan.gan.networks import build_fastgan, build_stylegan2
from squeezespan.gan.optimizers import FallingRates, adam, lazy_ratio, step_along
from squeezespan.gan.share import Share
from squeezespan.gan.step import GanStep
from squeezespan.generators.base import Latents
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.losses.gan import discriminator_hinge, generator_hinge
from squeezespan.randomness import Rows, StepRandom

__all__ = ["AnyStep", "ProjectedStep"]

_W_AVG_BETA = 0.998
"""Published with this step; 0.995 with StyleGAN2-ADA."""


class ProjectedStep:
    """Networks, optimizers and everything else that one step changes.

    Args:
        config: the run's settings.
        num_classes: 0 for an unconditional GAN.
        device: where the networks live.
        dtype: that they compute in; parameters and logits stay float32. In float16 only StyleGAN2's
            generator computes, as published.

    Raises:
        UserError: the feature network is not usable, or FastGAN is to compute in float16.
    """

    def __init__(
        self, config: GanTrainConfig, num_classes: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.config = config
        self.device = device
        self.share = Share()
        settings = config.projected
        self.features = open_features(
            settings.features,
            config.side,
            weights=settings.weights,
            side=None if settings.side == "auto" else settings.side,
        ).to(device)
        self.generator: StyleGAN2Generator | FastGANGenerator
        if config.generator.family == "stylegan2":
            self.generator = build_stylegan2(config, num_classes).to(device)
            self.generator.mapping.w_avg_beta = _W_AVG_BETA
        elif dtype == torch.float16:
            raise UserError("FastGAN can't be trained in fp16; give --precision bf16 or fp32")
        else:
            self.generator = build_fastgan(config, num_classes).to(device)
        sizes = ProjectedDiscriminatorConfig(
            feature_channels=self.features.channels,
            channels=settings.channels,
            num_classes=num_classes,
            separable=settings.separable,
        )
        self.discriminator = ProjectedDiscriminator(sizes).train().to(device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        for generator in (self.generator, self.average):
            generator.set_compute_dtype(dtype)
        judging = torch.float32 if dtype == torch.float16 else dtype
        self.features.compute_dtype = judging
        self.discriminator.set_compute_dtype(judging)
        rate, interval = config.train.learning_rate, config.loss.r1_interval
        self.generator_optimizer = adam(self.generator.parameters(), rate, 1.0)
        # The published training slows the discriminator down for R1 terms that it doesn't have.
        self.discriminator_optimizer = adam(
            self.discriminator.heads.parameters(),
            config.train.discriminator_learning_rate or rate,
            lazy_ratio(interval),
        )
        self._rates = FallingRates(
            config.train, (self.generator_optimizer, self.discriminator_optimizer)
        )
        self.origin: dict[str, Any] = {}
        """What the networks were started from, for the provenance; empty for random weights."""

    @property
    def provenance(self) -> dict[str, Any]:
        """What the file of a GAN that learnt from this feature network says of it."""
        return {"features": self.features.facts, "saw": list(self.features.origin.saw)}

    def rows(self) -> Rows:
        """Which samples of a batch are this process's: all, because batch norms mix them."""
        (whole,) = self.share.plain(self.config.train.batch_size)
        return whole

    def run(self, step: int, real: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        """Train both networks on one batch.

        Args:
            step: counted from 0; decides the random numbers.
            real: float32 [B, 3, R, R] in [-1, 1].
            labels: class indices of `real`, int64 [B]; None for an unconditional GAN.

        Returns:
            Named losses and statistics, scalars on the device.
        """
        batch = real.shape[0]
        numbers: dict[str, Tensor] = {}
        learns = step * batch >= self.config.init.warmup_kimg * 1000
        self._rates.set(step)
        if learns:
            self.discriminator.requires_grad_(False)
            self.generator.requires_grad_(True)
            numbers["loss/generator"] = self._train_generator(step, batch)
        self.discriminator.requires_grad_(True)
        self.generator.requires_grad_(False)
        numbers |= self._train_discriminator(step, real, labels)
        if learns:
            seen = step * batch
            move_average(self.average, self.generator, self.config.loss, seen, batch)
        return numbers

    def networks(self) -> tuple[nn.Module, ...]:
        """Give what must stay finite."""
        return self.average, self.generator, self.discriminator

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint keeps: tensors and primitives.

        The feature network, which nothing changes, is kept as a checksum.
        """
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            "features_sha256": self.features.sha256,
            "origin": self.origin,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state.

        Raises:
            UserError: the feature network has other weights than those that the run began with.
        """
        self.features.check_same(state["features_sha256"])
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.load_state_dict(state["average"])
        self.generator_optimizer.load_state_dict(state["generator_optimizer"])
        self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])
        self.origin = state["origin"]

    def _random(self, step: int, stream: str) -> StepRandom:
        return StepRandom(self.config.train.seed, step, stream=stream, device=self.device)

    def _generate(self, step: int, batch: int, stream: str) -> tuple[Tensor, Latents]:
        """Images of the network in training, and their latents."""
        random = self._random(step, stream)
        latents = self.generator.sample_latents(batch, random)
        if isinstance(self.generator, FastGANGenerator):
            return self.generator(latents, noise="random", random=random).images, latents
        w = self.generator.mapping(latents.z, latents.labels)
        if stream == "discriminator":
            self.generator.mapping.track(w.mean(dim=0))
        ws = w[:, None].expand(-1, self.generator.synthesis.num_ws, -1)
        return self.generator.synthesise(ws, noise="random", random=random).images, latents

    def _judge(self, images: Tensor, labels: Tensor | None, step: int, stream: str) -> Tensor:
        if self.config.projected.diffaugment:
            images = diff_augment(images, self._random(step, f"augment-{stream}"))
        logits: Tensor = self.discriminator(self.features(images), labels)
        return logits

    def _train_generator(self, step: int, batch: int) -> Tensor:
        images, latents = self._generate(step, batch, "generator")
        logits = self._judge(images, latents.labels, step, "generator")
        return _descend(self.generator_optimizer, generator_hinge(logits))

    def _train_discriminator(
        self, step: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor]:
        with torch.no_grad():
            fake, latents = self._generate(step, real.shape[0], "discriminator")
        on_fake = self._judge(fake, latents.labels, step, "fake")
        on_real = self._judge(real, labels, step, "real")
        value = _descend(self.discriminator_optimizer, discriminator_hinge(on_real, on_fake))
        return {
            "loss/discriminator": value,
            "logits/real": on_real.detach().mean(),
            "logits/fake": on_fake.detach().mean(),
            "sign_real": on_real.detach().sign().mean(),
        }


AnyStep = GanStep | ProjectedStep
"""A step of either kind of training."""


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    loss.backward()  # type: ignore[no-untyped-call]
    weights = [weight for group in optimizer.param_groups for weight in group["params"]]
    step_along(optimizer, [weight.grad for weight in weights if weight.grad is not None])
    return loss.detach()
