"""What every step of GAN training changes: two networks, their optimizers, a weight average."""

import copy
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

from torch import Tensor, nn
from torch.optim import Optimizer

from squeezespan.discriminators.projected.network import ProjectedDiscriminator
from squeezespan.discriminators.stylegan2 import StyleGAN2Discriminator
from squeezespan.gan.average import move_average
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.optimizers import FallingRates, step_along
from squeezespan.gan.share import Share
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.randomness import Rows, StepRandom

__all__ = ["TrainedGan", "add_gradients"]

_G = TypeVar("_G", bound=StyleGAN2Generator | FastGANGenerator)
_D = TypeVar("_D", bound=StyleGAN2Discriminator | ProjectedDiscriminator)


class TrainedGan(Generic[_G, _D]):
    """Networks, optimizers and the average, which checkpoints keep.

    Args:
        config: the run's settings.
        share: this process's of every batch.
        networks: generator and discriminator, in training mode on the run's device.
        optimizers: of the generator and of the discriminator, then any others.
    """

    def __init__(
        self,
        config: GanTrainConfig,
        share: Share,
        networks: tuple[_G, _D],
        optimizers: Sequence[Optimizer],
    ) -> None:
        self.config = config
        self.share = share
        self.generator, self.discriminator = networks
        self.device = self.generator.device
        self.average: _G = copy.deepcopy(self.generator)
        self.average.eval().requires_grad_(False)
        self.generator_optimizer, self.discriminator_optimizer, *_ = optimizers
        self._rates = FallingRates(config.train, optimizers)
        self.origin: dict[str, Any] = {}
        """What the networks were started from, for the provenance; empty for random weights."""

    def networks(self) -> tuple[nn.Module, ...]:
        """Give what must stay finite."""
        return self.average, self.generator, self.discriminator

    def state(self) -> dict[str, Any]:
        """Everything that a checkpoint keeps: tensors and primitives."""
        kept = {name: part.state_dict() for name, part in self._stateful().items()}
        return {**kept, "origin": self.origin}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        for name, part in self._stateful().items():
            part.load_state_dict(state[name])
        self.origin = state["origin"]

    def _stateful(self) -> dict[str, nn.Module | Optimizer]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.average,
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
        }

    def _begin(self, step: int) -> bool:
        """Set the step's learning rates, and tell whether the generator learns in it."""
        self._rates.set(step)
        return step * self.config.train.batch_size >= self.config.init.warmup_kimg * 1000

    def _random(self, step: int, stream: str, part: Rows) -> StepRandom:
        seed = self.config.train.seed
        return StepRandom(seed, step, stream=stream, device=self.device, rows=part)

    def _descend(self, network: nn.Module, optimizer: Optimizer) -> None:
        """Do a step along the gradients of all processes, which are used up by it."""
        step_along(optimizer, self.share.sum_gradients(network))

    def _move_average(self, step: int) -> None:
        batch = self.config.train.batch_size
        move_average(self.average, self.generator, self.config.loss, step * batch, batch)


def add_gradients(loss: Tensor) -> None:
    """Add a loss's gradients to those of the weights that require them."""
    loss.backward()  # type: ignore[no-untyped-call]
