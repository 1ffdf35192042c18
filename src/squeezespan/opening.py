"""What a generator's file cannot say, as every command that opens one takes it."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

from squeezespan.errors import UserError
from squeezespan.settings import Range

__all__ = ["OpeningConfig"]


@dataclass(frozen=True)
class OpeningConfig:
    """What a generator's file cannot say and its user may."""

    genotype: str | None = None
    """Of an AutoGAN super-network, as `train_derived.py` saves: the 14 numbers of its `--arch`,
    separated by commas, or a variant's letter."""
    batch_statistics: bool = False
    """Let a BigGAN normalize by each batch's statistics, as its repository scores it."""
    conv_clamp: float | None = None
    """Of StyleGANs, the convolutions' clamp instead of the one that the file tells; state dicts
    tell none, and 256 is assumed. 0 for none."""
    activation: str | None = None
    """Of a DCGAN, between the layers: relu, leaky_relu (or leaky_relu:0.1), elu, selu, gelu, silu
    or none. Its weights tell none of this and of what follows."""
    output: str | None = None
    """Of a DCGAN, on the image: tanh, sigmoid or none."""
    strides: str | None = None
    """Of a DCGAN's convolutions, first to last, separated by commas."""
    paddings: str | None = None
    """Of a DCGAN's convolutions, first to last, separated by commas."""
    output_paddings: str | None = None
    """Of a DCGAN's convolutions, first to last, separated by commas."""
    classes: Annotated[int, Range(0)] | None = None
    """Of a DCGAN, that follow z, one-hot, in what its first convolution takes; of a FastGAN, how
    many rows of its class table, from the first on, are classes."""

    def choices(self) -> dict[str, Any]:
        """Give the arguments of `squeezespan.generators.choices.Choices`.

        Raises:
            UserError: a list that is none of whole numbers.
        """
        lists = ("strides", "paddings", "output_paddings")
        given = dataclasses.asdict(self)
        return given | {
            name: _numbers(name, given[name]) for name in lists if given[name] is not None
        }


def _numbers(name: str, text: str) -> tuple[int, ...]:
    """Read whole numbers separated by commas or spaces."""
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        option = f"--{name.replace('_', '-')}"
        raise UserError(f"{option} takes numbers separated by commas, such as 1,2,2,2, not {text}")
    return tuple(int(word[:9]) for word in words)
