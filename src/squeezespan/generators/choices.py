"""What a checkpoint cannot say and its user may."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from squeezespan.errors import UserError

__all__ = ["Choices", "chosen_clamp", "described_clamp"]

_STYLEGANS = ("stylegan2", "stylegan3", "stylegan_xl")
_BELONGS: dict[str, tuple[tuple[str, ...], str]] = {
    "genotype": (("autogan",), "only AutoGAN has a genotype"),
    "batch_statistics": (("biggan",), "only BigGAN can take each batch's statistics"),
    "conv_clamp": (_STYLEGANS, "only StyleGANs clamp their convolutions"),
}
"""Choice to the families that have it, and what is said of the others."""


@dataclass(frozen=True)
class Choices:
    """What the user says of a network; what is left at its default is not said."""

    genotype: Sequence[int] | str | None = None
    """Of an AutoGAN super-network: the 14 numbers of its search, or a variant's letter."""
    batch_statistics: bool = False
    """BigGAN: normalize by each batch's statistics, as its repository scores it."""
    conv_clamp: float | None = None
    """StyleGANs: clamp of the convolutions instead of the file's, 0 for none; None leaves it."""

    def check(self, family: str) -> None:
        """Refuse a choice that `family` doesn't have.

        Raises:
            UserError: a choice of another family, or a clamp that is no limit.
        """
        for name, (families, reason) in _BELONGS.items():
            if getattr(self, name) not in (None, False) and family not in families:
                raise UserError(f"this is a {family}; {reason}")
        if self.conv_clamp is not None:
            chosen_clamp(self.conv_clamp)


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
