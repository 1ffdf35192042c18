"""One step of StyleGAN2-ADA: both networks' losses, lazy regularization, weight average."""

import copy
from typing import Any

import torch
from torch import Tensor

from squeezespan.discriminators.stylegan2 import (
    Judged,
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.gan.ada import AdaptiveProbability
from squeezespan.gan.augment import augment_bgc
from squeezespan.gan.config import GanTrainConfig
from squeezespan.generators.base import Latents
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.losses.gan import (
    discriminator_logistic,
    generator_nonsaturating,
    path_lengths,
    r1_penalty,
)
from squeezespan.randomness import StepRandom

__all__ = ["GanStep"]

_PATH_LENGTH_DECAY = 0.01
_PATH_LENGTH_SHRINK = 2
_MAX_GRADIENT = 1e5
"""In the place of an infinite gradient, which half precision has now and then."""


class GanStep:
    """Networks, optimizers and everything else that one step changes.

    Args:
        config: the run's settings.
        num_classes: 0 for an unconditional GAN.
        device: where the networks live.
        dtype: of the blocks from 8x8 on; parameters stay float32.
    """

    def __init__(
        self, config: GanTrainConfig, num_classes: int, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.config = config
        self.device = device
        self.generator = _build_generator(config, num_classes).to(device)
        self.discriminator = _build_discriminator(config, num_classes).to(device)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        for network in (self.generator, self.discriminator, self.average):
            network.set_compute_dtype(dtype)
        loss = config.loss
        rate = config.train.learning_rate
        own_rate = config.train.discriminator_learning_rate or rate
        self.generator_optimizer = _adam(self.generator, rate, loss.path_length_interval)
        self.discriminator_optimizer = _adam(self.discriminator, own_rate, loss.r1_interval)
        self.ada = AdaptiveProbability.start(config.augment)
        self.path_mean = torch.zeros([], device=device)
        self.origin: dict[str, Any] = {}
        """What the networks were started from, for the provenance; empty for random weights."""

    def run(self, step: int, real: Tensor, labels: Tensor | None) -> dict[str, Tensor | float]:
        """Train both networks on one batch.

        Args:
            step: counted from 0; decides the random numbers and the lazy terms.
            real: float32 [B, C, R, R] in [-1, 1].
            labels: class indices of `real`, int64 [B]; None for an unconditional GAN.

        Returns:
            Named losses and statistics; tensors are scalars on the device.
        """
        loss = self.config.loss
        batch = real.shape[0]
        numbers: dict[str, Tensor | float] = {}
        learns = step * batch >= self.config.init.warmup_kimg * 1000
        if learns:
            self.discriminator.requires_grad_(False)
            self.generator.requires_grad_(True)
            numbers["loss/generator"] = self._train_generator(step, batch)
            if loss.path_length_weight and step % loss.path_length_interval == 0:
                numbers["path_length"] = self._regularize_generator(step, batch)
        self.discriminator.requires_grad_(True)
        self.generator.requires_grad_(False)
        numbers |= self._train_discriminator(step, real, labels)
        if step % loss.r1_interval == 0:
            numbers["r1"] = self._regularize_discriminator(step, real, labels)
        if learns:
            self._update_average(images_seen=(step + 1) * batch, batch=batch)
        self.ada.adjust(step, batch)
        numbers["augment_p"] = self.ada.p
        return numbers

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint keeps: tensors and primitives."""
        return {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            "generator_optimizer": self.generator_optimizer.state_dict(),
            "discriminator_optimizer": self.discriminator_optimizer.state_dict(),
            "ada": self.ada.state(),
            "path_mean": self.path_mean,
            "origin": self.origin,
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.load_state_dict(state["average"])
        self.generator_optimizer.load_state_dict(state["generator_optimizer"])
        self.discriminator_optimizer.load_state_dict(state["discriminator_optimizer"])
        self.ada.load(state["ada"])
        self.path_mean.copy_(state["path_mean"])
        self.origin = state["origin"]

    def _random(self, step: int, stream: str) -> StepRandom:
        return StepRandom(self.config.train.seed, step, stream=stream, device=self.device)

    def _generate(self, step: int, batch: int, stream: str) -> tuple[Tensor, Latents, Tensor]:
        """Images of the network in training, their latents and w."""
        random = self._random(step, stream)
        latents = self.generator.sample_latents(batch, random)
        w = self.generator.mapping(latents.z, latents.labels, track=stream == "generator")
        num_ws = self.generator.synthesis.num_ws
        ws = w[:, None].expand(-1, num_ws, -1)
        if self.config.loss.style_mixing:
            ws = self._mix_styles(ws, latents, random)
        images = self.generator.synthesise(ws, noise="random", random=random).images
        return images, latents, ws

    def _mix_styles(self, ws: Tensor, latents: Latents, random: StepRandom) -> Tensor:
        batch, num_ws, _ = ws.shape
        other = self.generator.mapping(
            random.normal(batch, self.generator.config.z_dim), latents.labels
        )
        crossover = 1 + random.integers(batch, high=num_ws - 1)
        mixes = random.uniform(batch) < self.config.loss.style_mixing
        crossover = torch.where(mixes, crossover, num_ws)
        keeps = torch.arange(num_ws, device=self.device) < crossover[:, None]
        return torch.where(keeps[:, :, None], ws, other[:, None])

    def _judge(self, images: Tensor, labels: Tensor | None, step: int, stream: str) -> Tensor:
        augmented = augment_bgc(images, self.ada.p, self._random(step, f"augment-{stream}"))
        judged: Judged = self.discriminator(augmented, labels)
        return judged.logits

    def _train_generator(self, step: int, batch: int) -> Tensor:
        images, latents, _ = self._generate(step, batch, "generator")
        logits = self._judge(images, latents.labels, step, "generator")
        return _descend(self.generator_optimizer, generator_nonsaturating(logits))

    def _regularize_generator(self, step: int, batch: int) -> Tensor:
        loss = self.config.loss
        small = max(batch // _PATH_LENGTH_SHRINK, 1)
        images, _, ws = self._generate(step, small, "path-length")
        noise = self._random(step, "path-noise").normal(small, *images.shape[1:])
        lengths = path_lengths(images, ws, noise)
        mean = self.path_mean.lerp(lengths.mean(), _PATH_LENGTH_DECAY)
        self.path_mean.copy_(mean.detach())
        penalty = (lengths - mean).square().mean() * loss.path_length_weight
        _descend(self.generator_optimizer, penalty * loss.path_length_interval)
        return lengths.detach().mean()

    def _train_discriminator(
        self, step: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor | float]:
        with torch.no_grad():
            fake, latents, _ = self._generate(step, real.shape[0], "discriminator")
        fake_logits = self._judge(fake, latents.labels, step, "fake")
        real_logits = self._judge(real, labels, step, "real")
        value = _descend(
            self.discriminator_optimizer, discriminator_logistic(real_logits, fake_logits)
        )
        signs = real_logits.detach().sign()
        self.ada.observe(float(signs.sum()), signs.numel())
        return {
            "loss/discriminator": value,
            "logits/real": real_logits.detach().mean(),
            "logits/fake": fake_logits.detach().mean(),
            "sign_real": signs.mean(),
        }

    def _regularize_discriminator(self, step: int, real: Tensor, labels: Tensor | None) -> Tensor:
        loss = self.config.loss
        images = real.detach().requires_grad_()
        penalty = r1_penalty(images, self._judge(images, labels, step, "r1"))
        weight = loss.r1_gamma / 2 * loss.r1_interval
        _descend(self.discriminator_optimizer, penalty * weight)
        return penalty.detach()

    @torch.no_grad()
    def _update_average(self, images_seen: int, batch: int) -> None:
        loss = self.config.loss
        half_life = loss.ema_kimg * 1000
        if loss.ema_rampup is not None:
            half_life = min(half_life, images_seen * loss.ema_rampup)
        decay = 0.5 ** (batch / max(half_life, 1e-8))
        averages: list[Tensor] = list(self.average.parameters())
        current: list[Tensor] = list(self.generator.parameters())
        torch._foreach_lerp_(averages, current, 1 - decay)
        for kept, buffer in zip(self.average.buffers(), self.generator.buffers(), strict=True):
            kept.copy_(buffer)


def _descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> Tensor:
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.grad.nan_to_num_(nan=0.0, posinf=_MAX_GRADIENT, neginf=-_MAX_GRADIENT)
    optimizer.step()
    return loss.detach()


def _adam(network: torch.nn.Module, rate: float, lazy_interval: int) -> torch.optim.Adam:
    """Adam, slowed down for the extra steps that lazy regularization takes (Karras et al. 2020).

    The published training slows it down where a term's weight is 0, too.
    """
    ratio = lazy_interval / (lazy_interval + 1)
    return torch.optim.Adam(
        network.parameters(),
        lr=rate * ratio,
        betas=(0.0, 0.99**ratio),
        eps=1e-8,
        fused=True,
    )


def _build_generator(config: GanTrainConfig, num_classes: int) -> StyleGAN2Generator:
    torch.manual_seed(config.train.seed)
    sizes = config.generator
    return StyleGAN2Generator(
        StyleGAN2Config(
            resolution=config.side,
            z_dim=sizes.z_dim,
            w_dim=sizes.w_dim,
            num_classes=num_classes,
            channel_base=sizes.channel_base,
            channel_max=sizes.channel_max,
            mapping_layers=sizes.mapping_layers,
            conv_clamp=sizes.conv_clamp,
        )
    ).train()


def _build_discriminator(config: GanTrainConfig, num_classes: int) -> StyleGAN2Discriminator:
    sizes = config.discriminator
    return StyleGAN2Discriminator(
        StyleGAN2DiscriminatorConfig(
            resolution=config.side,
            num_classes=num_classes,
            channel_base=sizes.channel_base,
            channel_max=sizes.channel_max,
            architecture=sizes.architecture,
            mbstd_group_size=sizes.mbstd_group_size,
            conv_clamp=sizes.conv_clamp,
        )
    ).train()
