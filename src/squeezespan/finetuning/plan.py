"""How long a fine-tuning is, and the shorter ones before it that its choices are made on."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from squeezespan.data.order import split_holdout
from squeezespan.finetuning.config import FinetuneConfig
from squeezespan.randomness import derive_seed

__all__ = ["Plan", "Trial", "plan_finetuning"]

_FEWEST_JUDGED = 200
"""Held-out images below which several splits are drawn."""
_MOST_SPLITS = 3
_MOST_LEARNT, _MOST_JUDGED = 5000, 2000
"""Images of a training that chooses: some of very many tell as well which rate is good."""
_REFERENCE = 100
_LONGEST, _SHORTEST = 30, 8


@dataclass(frozen=True)
class Trial:
    """One training from the pretrained weights on some of the labelled images."""

    rate: float
    split: int
    """Which division into learnt and held-out images; -1 for all of them."""
    learnt: Tensor
    """Places among the labelled images, int64 [n]."""
    held_out: Tensor
    """Likewise; empty for the last training, which learns from all."""
    epochs: int
    batch_size: int

    @property
    def steps_per_epoch(self) -> int:
        """Optimiser steps of one pass."""
        return len(self.learnt) // self.batch_size

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        return self.epochs * self.steps_per_epoch


@dataclass(frozen=True)
class Plan:
    """The trials that choose, and the trainings that can be chosen."""

    choosing: list[Trial]
    """For each division, one for each learning rate; none where there is nothing to choose."""
    final: dict[float, Trial]
    """By learning rate."""

    @property
    def choosing_steps(self) -> int:
        """Optimiser steps before the choice is made."""
        return sum(trial.steps for trial in self.choosing)

    @property
    def steps(self) -> int:
        """Optimiser steps of everything, should the network be changed."""
        return self.choosing_steps + next(iter(self.final.values())).steps


def plan_finetuning(config: FinetuneConfig, labels: Tensor) -> Plan:
    """Lay out a fine-tuning.

    Args:
        config: its settings.
        labels: of the labelled images, int64 [N] on the CPU.
    """
    count, rates = len(labels), config.tuning.learning_rates
    epochs = config.train.epochs or usual_epochs(count)
    nobody = torch.empty(0, dtype=torch.int64)
    everybody = torch.arange(count)
    size = config.train.batch_size
    final = {
        rate: Trial(rate, -1, everybody, nobody, epochs, even_batch(count, size)) for rate in rates
    }
    choosing: list[Trial] = []
    if len(rates) > 1:
        for split in range(_splits(round(count * config.tuning.holdout))):
            seed = derive_seed(config.train.seed, "finetune-holdout", split)
            sides = split_holdout(count, config.tuning.holdout, seed, labels)
            learnt, held_out = (
                _some(sides[0], _MOST_LEARNT, seed),
                _some(sides[1], _MOST_JUDGED, seed),
            )
            batch = even_batch(len(learnt), size)
            if len(held_out):
                choosing += [Trial(rate, split, learnt, held_out, epochs, batch) for rate in rates]
    return Plan(choosing, final)


def usual_epochs(count: int) -> int:
    """Passes over so many labelled images: 30 over 100 and fewer, 8 over 1,400 and more.

    In between, the number of steps grows with the square root of the number of images.
    """
    return min(max(round(_LONGEST * math.sqrt(_REFERENCE / count)), _SHORTEST), _LONGEST)


def even_batch(count: int, largest: int) -> int:
    """Give a batch size that leaves few images of a pass over, at most `largest`."""
    return max(count // -(-count // largest), 1)


def _some(places: Tensor, most: int, seed: int) -> Tensor:
    """Draw at most so many places, in their order."""
    if len(places) <= most:
        return places
    random = torch.Generator().manual_seed(seed)
    return places[torch.randperm(len(places), generator=random)[:most].sort().values]


def _splits(held_out: int) -> int:
    return min(max(-(-_FEWEST_JUDGED // max(held_out, 1)), 1), _MOST_SPLITS)
