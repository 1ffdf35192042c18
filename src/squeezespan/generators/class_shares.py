"""How often a conditional generator's classes occur, and drawing them as often."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.randomness import StepRandom

__all__ = ["draw_classes", "read_class_shares"]


def draw_classes(shares: Sequence[float], n: int, random: StepRandom) -> Tensor:
    """Draw classes with given probabilities, int64 [n].

    Args:
        shares: of the classes, at least 0; only their proportions matter.
        n: how many draws on this process.
        random: source of the draws.
    """
    ends = torch.tensor(shares, dtype=torch.float64).cumsum(0)
    # Rounding up to float32 leaves classes without a share undrawn, for draws are below 1.
    inner = (ends[:-1] / ends[-1]).float().to(random.device)
    return torch.searchsorted(inner, random.uniform(n), right=True)


def read_class_shares(found: object, num_classes: int) -> tuple[float, ...]:
    """Give the shares that a file's header holds, which anyone may have written.

    Args:
        found: what the header has.
        num_classes: of the generator.

    Raises:
        UserError: they are no shares of so many classes.
    """
    numbers = found if isinstance(found, list) else []
    shares = [float(x) for x in numbers if isinstance(x, int | float) and not isinstance(x, bool)]
    fit = num_classes and len(shares) == len(numbers) == num_classes
    if not fit or min(shares) < 0 or not 0 < sum(shares) < math.inf:
        raise UserError(f"its class_shares are no shares of {num_classes} classes")
    return tuple(shares)
