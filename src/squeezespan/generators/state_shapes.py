"""Reading a network's sizes off the names and shapes of its state dict."""

import math
import re
from collections.abc import Mapping

from torch import Tensor

from squeezespan.errors import UserError

__all__ = ["StateShapes", "natural_order"]


class StateShapes:
    """Shapes of a state dict, with one clear line where it isn't what a family needs.

    Args:
        state: names and tensors.
        family: how messages call the network, such as "a BigGAN generator".
    """

    def __init__(self, state: Mapping[str, Tensor], family: str) -> None:
        self.family = family
        self._shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}

    def __contains__(self, name: str) -> bool:
        return name in self._shapes

    def names(self) -> list[str]:
        """All names, with numbers in them in counting order."""
        return sorted(self._shapes, key=natural_order)

    def shape(self, name: str, dims: int) -> tuple[int, ...]:
        """Give the shape of `name`, which must have `dims` axes, none of them empty.

        Raises:
            UserError: it is missing or of another form.
        """
        if name not in self._shapes:
            raise self.refusal(f"it lacks {name}")
        shape = self._shapes[name]
        if len(shape) != dims or 0 in shape:
            raise self.refusal(f"{name} has shape {shape}")
        return shape

    def rank(self, name: str) -> int:
        """Number of axes of `name`."""
        return len(self._shapes[name])

    def count(self, template: str) -> int:
        """How many of `template` with `{}` filled by 0, 1, 2, ... there are."""
        number = 0
        while template.format(number) in self._shapes:
            number += 1
        return number

    def square_side(self, area: int, what: str) -> int:
        """Side of a square of `area` pixels.

        Raises:
            UserError: `area` is not a square; `what` names it.
        """
        side = math.isqrt(area)
        if side * side != area or not side:
            raise self.refusal(f"{what} does not give a square map")
        return side

    def refusal(self, reason: str) -> UserError:
        """The error that says these weights aren't the family's, and why."""
        return UserError(f"these weights are not those of {self.family}: {reason}")


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sort key that puts `main.9` before `main.12`."""
    texts, numbers = re.split(r"[0-9]+", name), re.findall(r"[0-9]+", name)
    key = [(0, texts[0])]
    for number, text in zip(numbers, texts[1:], strict=True):
        digits = number.lstrip("0")
        # A longer number is a larger one: no conversion, so no limit on the digits of a name.
        key += [(len(digits), digits), (0, text)]
    return key
