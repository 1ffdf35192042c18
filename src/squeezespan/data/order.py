"""In which order images are seen, and which are held out, as pure functions of a seed."""

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.randomness import derive_seed

__all__ = ["draw_some", "epoch_order", "split_holdout"]


def epoch_order(n: int, epoch: int, seed: int) -> Tensor:
    """Give the order in which an epoch visits `n` images.

    Args:
        n: number of images.
        epoch: counted from 0; each has its own order.
        seed: of the run.

    Returns:
        int64 [n] on the CPU, a permutation.
    """
    return _permutation(n, "epoch-order", seed, epoch)


def draw_some(n: int, count: int, seed: int) -> Tensor:
    """Draw some of `n` images; of equal seeds, more contain fewer.

    Args:
        n: number of images.
        count: how many, or more than there are for all.
        seed: of the draw.

    Returns:
        int64 [min(n, count)], ascending, on the CPU.
    """
    return _permutation(n, "some", seed)[:count].sort().values


def split_holdout(
    n: int, fraction: float, seed: int, labels: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Divide the train images into those to learn from and those to watch and select on.

    With labels, every class gives its share: the nearest whole number of images, but at least one
    where it has two or more; a class with one image stays in train.

    Args:
        n: number of images.
        fraction: share to hold out, at least 0 and below 1.
        seed: equal seeds give equal splits.
        labels: int64 [n], or None.

    Returns:
        Indices to train on and indices held out, each int64, ascending, on the CPU.

    Raises:
        UserError: a fraction outside its range.
    """
    if not 0 <= fraction < 1:
        raise UserError(f"the share of held-out images is {fraction:g}; give 0 or more, below 1")
    order = _permutation(n, "holdout", seed)
    classes = torch.zeros(n, dtype=torch.int64) if labels is None else labels.cpu()
    held_out = torch.zeros(n, dtype=torch.bool)
    for label in set(classes.tolist()):
        members = order[classes[order] == label]
        held_out[members[: _share(len(members), fraction)]] = True
    return (~held_out).nonzero()[:, 0], held_out.nonzero()[:, 0]


def _share(count: int, fraction: float) -> int:
    if fraction == 0:
        return 0
    return min(max(round(count * fraction), 1), count - 1)


def _permutation(n: int, *seed: int | str) -> Tensor:
    generator = torch.Generator().manual_seed(derive_seed(*seed))
    return torch.randperm(n, generator=generator)
