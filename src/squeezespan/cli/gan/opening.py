"""Options of every command that opens a generator: what its file cannot say."""

from typing import Any

from squeezespan.cli.options import Flat
from squeezespan.opening import OpeningConfig

__all__ = ["Opening", "open_with"]

Opening = Flat[OpeningConfig]
"""A field of this type, with `field(default_factory=OpeningConfig)`, adds the options."""


def open_with(opening: OpeningConfig, gan: str, device: Any = "cpu") -> Any:
    """Open a generator with these choices; see `open_generator`."""
    from squeezespan.generators.choices import Choices
    from squeezespan.generators.registry import open_generator

    return open_generator(gan, device, Choices(**opening.choices()))
