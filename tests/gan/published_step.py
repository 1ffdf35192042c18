"""StyleGAN2-ADA's training step, restated from the papers in plain autograd, Adam included.

It shares with the product the networks, the augmentation pipeline and the source of random
numbers, each of which has tests of its own, and none of the losses, updates or schedules.
"""

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.gan.augment import augment_bgc
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.step import GanStep
from squeezespan.randomness import StepRandom


@dataclass
class Adam:
    """Kingma and Ba 2015, Algorithm 1, with beta1 = 0; a weight that a loss leaves out rests."""

    network: nn.Module
    rate: float
    beta2: float
    count: dict[str, int] = field(default_factory=dict)
    second: dict[str, Tensor] = field(default_factory=dict)

    def descend(self, loss: Tensor) -> None:
        named = dict(self.network.named_parameters())
        gradients: tuple[Tensor | None, ...] = torch.autograd.grad(
            loss, list(named.values()), allow_unused=True
        )
        for (name, weight), gradient in zip(named.items(), gradients, strict=True):
            if gradient is None:
                continue
            self.count[name] = self.count.get(name, 0) + 1
            before = self.second.get(name, torch.zeros_like(weight))
            self.second[name] = self.beta2 * before + (1 - self.beta2) * gradient**2
            corrected = self.second[name] / (1 - self.beta2 ** self.count[name])
            weight.data -= self.rate * gradient / (corrected.sqrt() + 1e-8)


def lazy_adam(network: nn.Module, rate: float, interval: int) -> Adam:
    """Karras et al. 2020 (StyleGAN2), Appendix B: lazy regularization."""
    c = interval / (interval + 1)
    return Adam(network, c * rate, 0.99**c)


class PublishedStep:
    """The step's state and its numbers, beginning as `gan` does."""

    def __init__(self, gan: GanStep, config: GanTrainConfig) -> None:
        self.config = config
        self.G = copy.deepcopy(gan.generator)
        self.D = copy.deepcopy(gan.discriminator)
        self.average = copy.deepcopy(gan.average)
        rate = config.train.learning_rate
        own_rate = config.train.discriminator_learning_rate
        self.optimize_G = lazy_adam(self.G, rate, config.loss.path_length_interval)
        self.optimize_D = lazy_adam(self.D, own_rate or rate, config.loss.r1_interval)
        adams = [self.optimize_G, self.optimize_D]
        self.judges: list[tuple[str, float, Callable[..., Tensor]]]
        self.judges = [("", 1.0, lambda images, labels: self.D(images, labels).logits)]
        if gan.aid is not None:
            self.aid = copy.deepcopy(gan.aid)
            self.optimize_heads = Adam(self.aid.heads.heads, own_rate or rate, 0.99)
            adams.append(self.optimize_heads)
            self.judges.append(("aid_", config.aid.weight, self.aid.judge))
        self.rates = [(adam, adam.rate) for adam in adams]
        self.is_relativistic = config.loss.adversarial == "relativistic"
        self.path_mean = 0.0
        self.p = config.augment.initial if config.augment.enabled else 0.0
        self.signs: list[float] = []
        self.shown: list[Tensor] = []
        """What D was given in the last step, in order."""

    def run(self, step: int, real: Tensor, labels: Tensor | None) -> dict[str, float]:
        loss, batch = self.config.loss, len(real)
        self.shown = []
        numbers: dict[str, float] = {}
        self.G.requires_grad_(True)
        self.D.requires_grad_(True)
        if len(self.judges) > 1:
            self.aid.heads.requires_grad_(True)
        warm = step * batch >= 1000 * self.config.init.warmup_kimg
        train = self.config.train
        if train.decay_kimg is not None:
            beyond = max(step * batch - 1000 * train.decay_after_kimg, 0)
            left = math.exp(-math.log(2) * beyond / (1000 * train.decay_kimg))
            for adam, rate in self.rates:
                adam.rate = rate * left
        if warm:
            numbers |= self.train_generator(step, batch, real, labels)
            if loss.path_length_weight > 0 and step % loss.path_length_interval == 0:
                numbers["path_length"] = self.regularize_generator(step, batch)
        numbers |= self.train_discriminator(step, real, labels)
        if step % loss.r1_interval == 0:
            numbers |= self.regularize_discriminator(step, real, labels)
        if warm:
            self.follow(step * batch, batch)
        if (step + 1) % self.config.augment.interval == 0:
            self.adapt(batch)
        return numbers | {"augment_p": self.p}

    def train_generator(
        self, step: int, batch: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, float]:
        """Goodfellow et al. 2014, Section 3, or Huang et al. 2024 (R3GAN), Equation 2."""
        images, classes, _ = self.generate(step, batch, "generator")
        fake = self.show(images, step, "generator")
        paired = self.show(real, step, "generator-real") if self.is_relativistic else real
        total: Tensor | float = 0.0
        numbers = {}
        for name, weight, judge in self.judges:
            logits = judge(fake, classes)
            if self.is_relativistic:
                logits = logits - judge(paired, labels).detach()
            loss = -logits.sigmoid().log().mean()
            total = total + weight * loss
            numbers[f"loss/{name}generator"] = float(loss.detach())
        assert isinstance(total, Tensor)
        self.optimize_G.descend(total)
        return numbers

    def regularize_generator(self, step: int, batch: int) -> float:
        """StyleGAN2, Equation 4 and Appendix B; half the batch, as published."""
        images, _, ws = self.generate(step, batch // 2, "path-length")
        y = self.random(step, "path-noise").normal(*images.shape)
        jacobian_y = torch.autograd.grad(
            (images * y).sum() / math.sqrt(images.shape[2] * images.shape[3]),
            ws,
            create_graph=True,
        )[0]
        lengths = jacobian_y.pow(2).sum(-1).mean(-1).sqrt()
        mean = 0.99 * self.path_mean + 0.01 * lengths.mean()
        self.path_mean = float(mean.detach())
        loss = self.config.loss
        penalty = ((lengths - mean) ** 2).mean()
        self.optimize_G.descend(loss.path_length_interval * loss.path_length_weight * penalty)
        return float(lengths.mean().detach())

    def train_discriminator(
        self, step: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, float]:
        """Goodfellow et al. 2014, Equation 1."""
        images, classes, _ = self.generate(step, len(real), "discriminator")
        fake = self.show(images.detach(), step, "fake")
        true = self.show(real, step, "real")
        numbers: dict[str, float] = {}
        for name, weight, judge in self.judges:
            fake_logits, real_logits = judge(fake, classes), judge(true, labels)
            margins = real_logits - fake_logits if self.is_relativistic else real_logits
            loss = -margins.sigmoid().log().mean()
            if not self.is_relativistic:
                loss = loss - (1 - fake_logits.sigmoid()).log().mean()
            (self.optimize_heads if name else self.optimize_D).descend(weight * loss)
            numbers |= {
                f"loss/{name}discriminator": float(loss.detach()),
                f"logits/{name}real": float(real_logits.mean().detach()),
                f"logits/{name}fake": float(fake_logits.mean().detach()),
            }
            if not name:
                signs = [float(margin > 0) - float(margin < 0) for margin in margins]
                self.signs += signs
                numbers["sign_real"] = sum(signs) / len(signs)
        return numbers

    def regularize_discriminator(
        self, step: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, float]:
        """Mescheder et al. 2018, Equations 9 and 10, times the interval (lazy regularization)."""
        loss = self.config.loss
        norms = {"r1": self.squared_gradient(real, labels, step, "r1")}
        penalty = loss.r1_gamma / 2 * norms["r1"]
        if loss.r2_gamma:
            images, classes, _ = self.generate(step, len(real), "discriminator")
            norms["r2"] = self.squared_gradient(images.detach(), classes, step, "r2")
            penalty = penalty + loss.r2_gamma / 2 * norms["r2"]
        self.optimize_D.descend(loss.r1_interval * penalty)
        return {name: float(norm.detach()) for name, norm in norms.items()}

    def squared_gradient(
        self, images: Tensor, classes: Tensor | None, step: int, stream: str
    ) -> Tensor:
        x = images.clone().requires_grad_()
        logits = self.D(self.show(x, step, stream), classes).logits
        gradient = torch.autograd.grad(logits.sum(), x, create_graph=True)[0]
        norms: Tensor = gradient.flatten(1).norm(dim=1)
        return norms.pow(2).mean()

    def follow(self, images_seen: int, batch: int) -> None:
        """The average's distance halves within `ema_kimg`, or sooner while the run is young.

        The published training loop counts `cur_nimg` up after the average has moved, so that the
        first step's average is the network itself.
        """
        loss = self.config.loss
        half_life = 1000 * loss.ema_kimg
        if loss.ema_rampup is not None:
            half_life = min(half_life, loss.ema_rampup * images_seen)
        keep = 2 ** (-batch / half_life) if half_life else 0.0
        weights = dict(self.G.named_parameters())
        for name, average in self.average.named_parameters():
            average.data = keep * average.data + (1 - keep) * weights[name].data
        self.average.mapping.w_avg.copy_(self.G.mapping.w_avg)

    def adapt(self, batch: int) -> None:
        """StyleGAN2-ADA, Section 3.1: p follows the mean sign of D on real images."""
        augment = self.config.augment
        r_t = sum(self.signs) / len(self.signs)
        self.signs = []
        if augment.enabled:
            change = augment.interval * batch / (1000 * augment.speed_kimg)
            self.p += change if r_t > augment.target else -change
            self.p = max(0.0, min(1.0, self.p))

    def generate(self, step: int, count: int, stream: str) -> tuple[Tensor, Tensor | None, Tensor]:
        """Images, their classes, and w by layer; Karras et al. 2019, Section 3.1, mixes styles."""
        random = self.random(step, stream)
        latents = self.G.sample_latents(count, random)
        w = self.G.mapping(latents.z, latents.labels)
        if stream == "generator":
            w_avg = self.G.mapping.w_avg
            w_avg.copy_(0.995 * w_avg + 0.005 * w.detach().mean(0))
        layers = self.G.info.num_ws
        rows = [[w[i]] * layers for i in range(count)]
        probability = self.config.loss.style_mixing
        if probability:
            second = self.G.mapping(random.normal(count, latents.z.shape[1]), latents.labels)
            first_mixed = random.integers(count, high=layers - 1) + 1
            mixed = random.uniform(count)
            for i in range(count):
                if mixed[i] < probability:
                    since = int(first_mixed[i])
                    rows[i] = [w[i]] * since + [second[i]] * (layers - since)
        ws = torch.stack([torch.stack(row) for row in rows])
        return self.G.synthesise(ws, noise="random", random=random).images, latents.labels, ws

    def show(self, images: Tensor, step: int, stream: str) -> Tensor:
        """StyleGAN2-ADA, Figure 2b: D sees augmented images only, and G through them."""
        shown = augment_bgc(images, self.p, self.random(step, f"augment-{stream}"))
        self.shown.append(shown.detach().clone())
        return shown

    def random(self, step: int, stream: str) -> StepRandom:
        return StepRandom(self.config.train.seed, step, stream=stream)

    def tensors(self) -> dict[str, dict[str, Any]]:
        networks: dict[str, nn.Module]
        networks = {"generator": self.G, "discriminator": self.D, "average": self.average}
        networks |= {"heads": self.aid.heads} if len(self.judges) > 1 else {}
        return {name: network.state_dict() for name, network in networks.items()}
