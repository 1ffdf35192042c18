"""What a user asks of an experiment: data, generators, scale, seeds, budget."""

from dataclasses import dataclass
from typing import Annotated

from squeezespan.config import Precision
from squeezespan.experiments.experiment import Budget, Scale
from squeezespan.settings import Range, Seed

__all__ = ["Asked"]


@dataclass(frozen=True)
class Asked:
    """What a user asks of an experiment."""

    scale: Scale = "mini"
    """Small settings for a CPU, or the paper's own."""
    data: tuple[str, ...] = ("builtin:cifar10-mini",)
    """Labelled data sets, as specs or NAME=SPEC; the paper's presets and numbers go by the name."""
    gan: tuple[str, ...] = ("builtin:stylegan2-cifar10",)
    """A generator for each data set, in their order, or one for all."""
    discriminator: tuple[str, ...] = ()
    """For rows that judge the discriminator: one for each generator, or one for all, where it is
    not in the generator's own file."""
    seeds: tuple[Seed, ...] = (0,)
    """Trainings of every arm."""
    arms: tuple[str, ...] = ()
    """Some of the arms only."""
    steps: Annotated[int, Range(1)] | None = None
    """Length of every training at --scale mini, instead of the table's own."""
    budget: Budget | None = None
    """What all arms get as much of, instead of the table's own; the most expensive arm is the
    measure."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda, cuda:N or mps."""
    precision: Precision = "auto"
    """auto: bf16 where the hardware computes in it natively, else fp32."""
