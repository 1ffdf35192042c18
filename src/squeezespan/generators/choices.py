"""What a checkpoint cannot say and its user may."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from squeezespan.errors import UserError

__all__ = ["ChoiceArguments", "Choices", "chosen_clamp", "described_clamp"]

_STYLEGANS = ("stylegan2", "stylegan3", "stylegan_xl")
_BELONGS: dict[str, tuple[tuple[str, ...], str]] = {
    "genotype": (("autogan",), "only AutoGAN has a genotype"),
    "batch_statistics": (("biggan",), "only BigGAN can take each batch's statistics"),
    "conv_clamp": (_STYLEGANS, "only StyleGANs clamp their convolutions"),
    "activation": (("dcgan",), "only a DCGAN's activation can be chosen"),
    "output": (("dcgan",), "only a DCGAN's output can be chosen"),
    "strides": (("dcgan",), "only a DCGAN's strides can be chosen"),
    "paddings": (("dcgan",), "only a DCGAN's paddings can be chosen"),
    "output_paddings": (("dcgan",), "only a DCGAN's output paddings can be chosen"),
    "classes": (("dcgan", "fastgan"), "only a DCGAN's or FastGAN's classes can be chosen"),
}
"""Choice to the families that have it, and what is said of the others."""


class ChoiceArguments(TypedDict, total=False):
    """The arguments of `Choices`, for functions that hand them on."""

    genotype: Sequence[int] | str | None
    batch_statistics: bool
    conv_clamp: float | None
    activation: str | None
    output: str | None
    strides: Sequence[int] | None
    paddings: Sequence[int] | None
    output_paddings: Sequence[int] | None
    classes: int | None


@dataclass(frozen=True)
class Choices:
    """What the user says of a network; what is left at its default is not said."""

    genotype: Sequence[int] | str | None = None
    """Of an AutoGAN super-network: the 14 numbers of its search, or a variant's letter."""
    batch_statistics: bool = False
    """BigGAN: normalize by each batch's statistics, as its repository scores it."""
    conv_clamp: float | None = None
    """StyleGANs: clamp of the convolutions instead of the file's, 0 for none; None leaves it."""
    activation: str | None = None
    """DCGAN: between the layers; relu, leaky_relu (or leaky_relu:0.1), elu, selu, gelu, silu or
    none."""
    output: str | None = None
    """DCGAN: on the image; tanh, sigmoid or none."""
    strides: Sequence[int] | None = None
    """DCGAN: of every convolution, first to last."""
    paddings: Sequence[int] | None = None
    """DCGAN: of every convolution, first to last."""
    output_paddings: Sequence[int] | None = None
    """DCGAN: of every convolution, first to last; none has any if left out."""
    classes: int | None = None
    """DCGAN: how many classes follow z, one-hot, in what the first convolution takes. FastGAN: how
    many rows of the class table stand for a class."""

    def check(self, family: str) -> None:
        """Refuse a choice that `family` doesn't have.

        Raises:
            UserError: a choice of another family, or a value that none can have.
        """
        for name, (families, reason) in _BELONGS.items():
            if getattr(self, name) not in (None, False) and family not in families:
                raise UserError(f"this is a {family}; {reason}")
        if self.conv_clamp is not None:
            chosen_clamp(self.conv_clamp)
        for name, least in (("strides", 1), ("paddings", 0), ("output_paddings", 0)):
            for value in getattr(self, name) or ():
                if type(value) is not int or value < least:
                    raise UserError(f"{name} must be whole numbers of {least} or more")
        if self.classes is not None and (type(self.classes) is not int or self.classes < 0):
            raise UserError("the number of classes must be 0 or more")


def chosen_clamp(clamp: float) -> float | None:
    """Read a clamp that the user chose, 0 for none.

    Raises:
        UserError: it is no limit.
    """
    if not 0 <= clamp < math.inf:
        raise UserError(f"a clamp of {clamp:g} is none; give 0 or more")
    return clamp or None


def described_clamp(clamp: float | None) -> str:
    """Say a clamp in words."""
    return "no clamp" if clamp is None else f"clamp at {clamp:g}"
