"""Which learning rate held-out images speak for, or none."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["Choice", "choose_rate"]


@dataclass(frozen=True)
class Choice:
    """What was chosen, and on what grounds."""

    rate: float | None
    """None stays at the probe."""
    why: str
    """In words."""


def choose_rate(outcomes: Iterable[Mapping[str, float]]) -> Choice:
    """Choose by what trials gave on their held-out images, those of all divisions together.

    The rate with the most hits wins, of equally good ones that with the lower loss. It must have
    more hits than the probe that was fitted on the same images, or as many and a lower loss.

    Args:
        outcomes: of the trials, as `FinetuneJob.check` gives them; at least one.
    """
    by_rate: dict[float, list[Mapping[str, float]]] = defaultdict(list)
    for outcome in outcomes:
        by_rate[outcome["rate"]].append(outcome)

    def standing(rate: float) -> tuple[float, float]:
        found = by_rate[rate]
        return _gain(found), -_mean_loss(found, "loss")

    best = max(by_rate, key=standing)
    found = by_rate[best]
    images = round(sum(one["images"] for one in found))
    won, lost = (round(sum(one[name] for one in found)) for name in ("won", "lost"))
    beside = (
        f"on {images} held-out images a learning rate of {best:g} turns {won} of the probe's "
        f"mistakes into hits and {lost} of its hits into mistakes"
    )
    calmer = _mean_loss(found, "loss") < _mean_loss(found, "probe_loss")
    if won > lost or (won == lost and calmer):
        return Choice(best, beside)
    return Choice(None, f"{beside}: the network stays as it is")


def _gain(found: list[Mapping[str, float]]) -> float:
    return math.fsum(one["won"] - one["lost"] for one in found)


def _mean_loss(found: list[Mapping[str, float]], name: str) -> float:
    total = sum(one["images"] for one in found)
    return math.fsum(one[name] * one["images"] for one in found) / total
