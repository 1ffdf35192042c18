"""One step of StyleGAN2-ADA: both networks' losses, lazy regularization, weight average."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from squeezespan.discriminators.stylegan2 import Judged, StyleGAN2Discriminator
from squeezespan.gan.ada import AdaptiveProbability
from squeezespan.gan.aid import Aid
from squeezespan.gan.augment import augment_bgc
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.networks import build_discriminator, build_stylegan2, first_layers
from squeezespan.gan.optimizers import adam, lazy_ratio
from squeezespan.gan.share import Share, path_length_batch
from squeezespan.gan.trained import TrainedGan, add_gradients
from squeezespan.generators.base import Latents
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.losses.gan import (
    discriminator_logistic,
    discriminator_relativistic,
    generator_nonsaturating,
    generator_relativistic,
    path_lengths,
    r1_penalty,
)
from squeezespan.models.batchnorm import convert_sync_batchnorm
from squeezespan.randomness import Rows, StepRandom

__all__ = ["GanStep"]

_PATH_LENGTH_DECAY = 0.01


class Judge(NamedTuple):
    """A network that tells real images from generated ones."""

    name: str
    """In front of its numbers; empty for the discriminator."""
    weight: float
    """Of its losses."""
    judge: Callable[[Tensor, Tensor | None], Tensor]
    """From augmented images and their classes to logits."""


class Generated(NamedTuple):
    """Images of the generator in training, and what they were made of."""

    images: Tensor
    """[n, C, R, R]"""
    labels: Tensor | None
    ws: Tensor
    """[n, num_ws, w_dim]"""
    w: Tensor
    """[n, w_dim], before styles are mixed; detached."""


class GanStep(TrainedGan[StyleGAN2Generator, StyleGAN2Discriminator]):
    """Networks, optimizers and everything else that one step changes.

    Args:
        config: the run's settings.
        num_classes: 0 for an unconditional GAN.
        device: where the networks live.
        dtype: of the blocks from 8x8 on; parameters stay float32.
        share: this process's of every batch; by default all, at once.

    Raises:
        UserError: a student that is to judge beside the discriminator is not usable.
    """

    def __init__(
        self,
        config: GanTrainConfig,
        num_classes: int,
        device: torch.device,
        dtype: torch.dtype,
        share: Share | None = None,
    ) -> None:
        generator = build_stylegan2(config, num_classes).to(device)
        discriminator = build_discriminator(config, num_classes).to(device)
        for network in (generator, discriminator):
            network.set_compute_dtype(dtype)
        loss, train = config.loss, config.train
        own_rate = train.discriminator_learning_rate or train.learning_rate
        optimizers = [
            adam(
                generator.parameters(), train.learning_rate, lazy_ratio(loss.path_length_interval)
            ),
            adam(discriminator.parameters(), own_rate, lazy_ratio(loss.r1_interval)),
        ]
        self.aid: Aid | None = None
        if config.aid.backbone is not None:
            self.aid = Aid(config, num_classes, device, dtype)
            optimizers.append(self.aid.optimizer)
        super().__init__(config, share or Share(), (generator, discriminator), optimizers)
        if self.aid and self.share.world_size > 1:
            convert_sync_batchnorm(self.aid.heads)
        self.ada = AdaptiveProbability.start(config.augment)
        self.path_mean = torch.zeros([], device=device)
        self._frozen = first_layers(discriminator, config.init.freeze_d)

    @property
    def provenance(self) -> dict[str, Any]:
        """What the file of a GAN says of a judge that knew more than the images."""
        if self.aid is None:
            return {}
        saw = self.aid.features.origin.saw
        return {"aid": self.aid.facts, **({"saw": list(saw)} if saw else {})}

    def rows(self) -> Rows:
        """Which samples of a batch are this process's, in the order in which `run` takes them."""
        parts = self._parts()
        return Rows(torch.cat([part.indices for part in parts]), parts[0].total)

    def run(self, step: int, real: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        """Train both networks on one batch.

        Args:
            step: counted from 0; decides the random numbers and the lazy terms.
            real: this process's images, as `rows` tells, float32 [n, C, R, R] in [-1, 1].
            labels: class indices of `real`, int64 [n]; None for an unconditional GAN.

        Returns:
            Named losses and statistics of the whole batch, scalars on the device.
        """
        loss = self.config.loss
        batch = self.config.train.batch_size
        numbers: dict[str, Tensor] = {}
        learns = self._begin(step)
        if learns:
            self._let_judges_learn(False)
            numbers |= self._train_generator(step, real, labels)
            if loss.path_length_weight and step % loss.path_length_interval == 0:
                numbers["path_length"] = self._regularize_generator(step)
        self._let_judges_learn(True)
        numbers |= self._train_discriminator(step, real, labels)
        if step % loss.r1_interval == 0:
            numbers |= self._regularize_discriminator(step, real, labels)
        if learns:
            self._move_average(step)
        numbers = self.share.sum_numbers(numbers.items())
        self.ada.observe(float(numbers["sign_real"]) * batch, batch)
        self.ada.adjust(step, batch)
        numbers["augment_p"] = torch.tensor(self.ada.p, device=self.device)
        return numbers

    def networks(self) -> tuple[nn.Module, ...]:
        """Give what must stay finite."""
        heads = (self.aid.heads,) if self.aid else ()
        return *super().networks(), *heads

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint keeps: tensors and primitives."""
        own = {"ada": self.ada.state(), "path_mean": self.path_mean}
        return super().state() | own | ({"aid": self.aid.state()} if self.aid else {})

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state.

        Raises:
            UserError: a student that judges has other weights than when the run began.
        """
        if self.aid:
            self.aid.load(state["aid"])
        super().load(state)
        self.ada.load(state["ada"])
        self.path_mean.copy_(state["path_mean"])

    def _parts(self) -> list[Rows]:
        group = self.config.discriminator.mbstd_group_size
        return self.share.grouped(self.config.train.batch_size, group)

    def _real_parts(
        self, real: Tensor, labels: Tensor | None
    ) -> Iterator[tuple[Rows, Tensor, Tensor | None]]:
        """The micro-batches with the real images and labels of each."""
        begin = 0
        for part in self._parts():
            own = slice(begin, begin + len(part))
            yield part, real[own], None if labels is None else labels[own]
            begin += len(part)

    def _generate(self, step: int, part: Rows, stream: str) -> Generated:
        """Images of the network in training."""
        random = self._random(step, stream, part)
        latents = self.generator.sample_latents(len(part), random)
        w = self.generator.mapping(latents.z, latents.labels)
        num_ws = self.generator.synthesis.num_ws
        ws = w[:, None].expand(-1, num_ws, -1)
        if self.config.loss.style_mixing:
            ws = self._mix_styles(ws, latents, random)
        images = self.generator.synthesise(ws, noise="random", random=random).images
        return Generated(images, latents.labels, ws, w.detach())

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

    def _let_judges_learn(self, learn: bool) -> None:
        self.discriminator.requires_grad_(learn)
        for layer in self._frozen:
            layer.requires_grad_(False)
        if self.aid:
            self.aid.heads.requires_grad_(learn)

    def _judges(self) -> list[Judge]:
        """The discriminator, and the heads on a student that judge beside it."""
        judges = [Judge("", 1.0, self._discriminate)]
        if self.aid:
            judges.append(Judge("aid_", self.config.aid.weight, self.aid.judge))
        return judges

    def _discriminate(self, images: Tensor, labels: Tensor | None) -> Tensor:
        judged: Judged = self.discriminator(images, labels)
        return judged.logits

    def _augment(self, images: Tensor, step: int, stream: str, part: Rows) -> Tensor:
        return augment_bgc(images, self.ada.p, self._random(step, f"augment-{stream}", part))

    def _train_generator(self, step: int, real: Tensor, labels: Tensor | None) -> dict[str, Tensor]:
        judges, mean_w = self._judges(), self._zero()
        numbers = {f"loss/{name}generator": self._zero() for name, *_ in judges}
        for part, paired, classes in self._real_parts(real, labels):
            made = self._generate(step, part, "generator")
            shown = self._augment(made.images, step, "generator", part)
            if self.config.loss.adversarial == "relativistic":
                beside = self._augment(paired, step, "generator-real", part)
            total = self._zero()
            for name, weight, judge in judges:
                logits = judge(shown, made.labels)
                if self.config.loss.adversarial == "relativistic":
                    with torch.no_grad():
                        on_real = judge(beside, classes)
                    loss = generator_relativistic(logits, on_real)
                else:
                    loss = generator_nonsaturating(logits)
                numbers[f"loss/{name}generator"] += loss.detach() * part.share
                total = total + loss * weight
            add_gradients(total * part.share)
            mean_w = mean_w + made.w.mean(dim=0) * part.share
        self._descend(self.generator, self.generator_optimizer)
        self.generator.mapping.track(self.share.sum(mean_w))
        return numbers

    def _regularize_generator(self, step: int) -> Tensor:
        """Pull the path lengths l of a smaller batch towards their running mean.

        With m = (1 - d) m' + d mean(l), the derivative of mean((l - m)^2) by l_i is
        2/n ((l_i - m) - d (mean(l) - m)). It needs the mean over the batch before any gradient, so
        that several micro-batches are generated twice.
        """
        loss = self.config.loss
        parts = self.share.plain(path_length_batch(self.config.train.batch_size))
        mean = self._zero()
        for part in parts:
            lengths = self._path_lengths(step, part)
            mean += lengths.detach().mean() * part.share
        self.share.sum(mean)
        target = self.path_mean.lerp(mean, _PATH_LENGTH_DECAY)
        weight = loss.path_length_weight * loss.path_length_interval
        for part in parts:
            if len(parts) > 1:
                lengths = self._path_lengths(step, part)
            slope = (lengths.detach() - target) - _PATH_LENGTH_DECAY * (mean - target)
            add_gradients((lengths * slope).mean() * (2 * weight * part.share))
        self._descend(self.generator, self.generator_optimizer)
        self.path_mean.copy_(target)
        return mean / self.share.world_size

    def _path_lengths(self, step: int, part: Rows) -> Tensor:
        made = self._generate(step, part, "path-length")
        noise = self._random(step, "path-noise", part).normal(len(part), *made.images.shape[1:])
        return path_lengths(made.images, made.ws, noise)

    def _train_discriminator(
        self, step: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor]:
        relativistic = self.config.loss.adversarial == "relativistic"
        adversarial = discriminator_relativistic if relativistic else discriminator_logistic
        judges = self._judges()
        kinds = ("loss/{}discriminator", "logits/{}real", "logits/{}fake")
        names = [kind.format(judge.name) for judge in judges for kind in kinds]
        numbers = {name: self._zero() for name in (*names, "sign_real")}
        for part, images, classes in self._real_parts(real, labels):
            with torch.no_grad():
                fake = self._generate(step, part, "discriminator")
            shown_fake = self._augment(fake.images, step, "fake", part)
            shown_real = self._augment(images, step, "real", part)
            total = self._zero()
            for name, weight, judge in judges:
                on_fake = judge(shown_fake, fake.labels)
                on_real = judge(shown_real, classes)
                loss = adversarial(on_real, on_fake)
                numbers[f"loss/{name}discriminator"] += loss.detach() * part.share
                numbers[f"logits/{name}real"] += on_real.detach().mean() * part.share
                numbers[f"logits/{name}fake"] += on_fake.detach().mean() * part.share
                total = total + loss * weight
                if not name:
                    # Of the relativistic loss only differences of logits have a meaning.
                    surety = on_real.detach() - (on_fake.detach() if relativistic else 0)
                    numbers["sign_real"] += surety.sign().mean() * part.share
            add_gradients(total * part.share)
        self._descend(self.discriminator, self.discriminator_optimizer)
        if self.aid:
            self._descend(self.aid.heads, self.aid.optimizer)
        return numbers

    def _regularize_discriminator(
        self, step: int, real: Tensor, labels: Tensor | None
    ) -> dict[str, Tensor]:
        loss = self.config.loss
        gammas = {"r1": loss.r1_gamma} | ({"r2": loss.r2_gamma} if loss.r2_gamma else {})
        numbers = {name: self._zero() for name in gammas}
        for part, own, classes in self._real_parts(real, labels):
            for name, gamma in gammas.items():
                images, shown = own, classes
                if name == "r2":
                    with torch.no_grad():
                        images, shown = self._generate(step, part, "discriminator")[:2]
                images = images.detach().requires_grad_()
                logits = self._discriminate(self._augment(images, step, name, part), shown)
                penalty = r1_penalty(images, logits)
                add_gradients(penalty * (gamma / 2 * loss.r1_interval * part.share))
                numbers[name] += penalty.detach() * part.share
        self._descend(self.discriminator, self.discriminator_optimizer)
        return numbers

    def _zero(self) -> Tensor:
        return torch.zeros([], device=self.device)
