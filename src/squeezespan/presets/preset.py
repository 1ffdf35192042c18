"""A preset: settings with a name and a description."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from squeezespan.settings import Setting, changed

__all__ = ["Preset"]

Config = TypeVar("Config")


@dataclass(frozen=True)
class Preset(Generic[Config]):
    """A named configuration."""

    name: str
    description: str
    """One line of summary; then hardware, time and accuracy as far as they were measured."""
    make: Callable[[], Config]

    @property
    def summary(self) -> str:
        """The first line of the description."""
        return self.description.splitlines()[0]

    def build(self, **changes: Setting | Mapping[str, Setting]) -> Config:
        """Give the configuration, with other values in the place of some.

            find_preset("squeeze-span-mini").build(gan="GAN.pkl", train={"max_steps": 20})

        Args:
            changes: settings by name, and dicts of them by section; what is left out stays.

        Raises:
            UserError: an unknown name, a value of another type or out of its range; the message
                names `section.key`.
        """
        config = self.make()
        return changed(config, changes, where=f"preset {self.name}") if changes else config
