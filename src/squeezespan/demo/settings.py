"""What the user asks of a demo, and the plan that is made from it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from squeezespan.config import Precision
from squeezespan.settings import Range, Seed, from_file

__all__ = ["DemoOptions", "DemoPlan", "load_plan"]


@dataclass(frozen=True)
class DemoOptions:
    """What the result depends on, besides the machine's speed."""

    minutes: Annotated[float, Range(0, above=True)] = 4.0
    """Wall time that the demo plans for; a slow machine trains less, not longer."""
    data: str = "builtin:cifar10-mini"
    """Data spec with labelled train and test splits; training sees no label."""
    gan: str = "builtin:stylegan2-cifar10"
    """Checkpoint of a generator, or the shipped one."""
    seed: Seed = 0
    """Draws weights, order, augmentation and latents."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Precision = "auto"
    """auto: bf16 where the hardware computes in it natively, else fp32."""


@dataclass(frozen=True)
class DemoPlan:
    """What is trained and for how long; `config.json` of a demo's folder."""

    options: DemoOptions = field(default_factory=DemoOptions)
    """With the precision resolved."""
    gan_sha256: str = ""
    """Of the generator's file, so that a demo is never continued with another one."""
    methods: tuple[str, ...] = ()
    """Keys of the methods that are trained, in order."""
    left_out: tuple[str, ...] = ()
    """Keys of the methods that there was no time for."""
    steps: tuple[int, ...] = ()
    """Optimiser steps of each method, in the order of `methods`."""
    batch_size: Annotated[int, Range(2)] = 256
    resolution: Annotated[int, Range(8)] = 32
    """Side of the images that the student sees."""
    steps_per_epoch: Annotated[int, Range(1)] = 1
    knn_every: tuple[int, ...] = ()
    """Epochs between checks on the images held out of train, of each method."""
    step_seconds: tuple[float, ...] = ()
    """Measured seconds of a step of each method, in the order of `methods`."""

    @property
    def data(self) -> str:
        """The data spec."""
        return self.options.data

    def steps_of(self, method: str) -> int:
        """Optimiser steps of a method."""
        return self.steps[self.methods.index(method)]

    def images_of(self, method: str) -> int:
        """Images through the student of a method."""
        return self.steps_of(method) * self.batch_size

    def knn_every_of(self, method: str) -> int:
        """Epochs between checks of a method."""
        return self.knn_every[self.methods.index(method)]


def load_plan(path: Path) -> DemoPlan:
    """Read the `config.json` of a demo's folder.

    Raises:
        UserError: it cannot be read, or is not a demo's.
    """
    return from_file(DemoPlan, path)
