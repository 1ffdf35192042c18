"""Options of every command that opens a generator: what its file cannot say."""

import dataclasses
from dataclasses import dataclass
from typing import Annotated, Any

import tyro

__all__ = ["Opening", "OpeningOptions"]


@dataclass(frozen=True)
class OpeningOptions:
    """What a generator's file cannot say and its user may."""

    genotype: str | None = None
    """Of an AutoGAN super-network, as `train_derived.py` saves: the 14 numbers of its `--arch`,
    separated by commas, or a variant's letter."""
    batch_statistics: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Let a BigGAN normalize by each batch's statistics, as its repository scores it."""
    conv_clamp: float | None = None
    """Of StyleGANs, the convolutions' clamp instead of the one that the file tells; state dicts
    tell none, and 256 is assumed. 0 for none."""

    def open(self, gan: str, device: Any = "cpu") -> Any:
        """Open a generator with these choices; see `open_generator`."""
        from squeezespan.generators.choices import Choices
        from squeezespan.generators.registry import open_generator

        return open_generator(gan, device, Choices(**dataclasses.asdict(self)))


Opening = Annotated[OpeningOptions, tyro.conf.arg(name="")]
"""A field of this type, with `field(default_factory=OpeningOptions)`, adds the options."""
