"""Presets by name: each is a function, its docstring is what a user reads about it."""

import inspect
from collections.abc import Callable

from squeezespan.config import DistillConfig
from squeezespan.errors import UserError
from squeezespan.presets.gan import AUTO, GAN_PRESETS
from squeezespan.presets.preset import Preset
from squeezespan.settings import closest

__all__ = ["find_preset", "list_presets", "register"]

_presets: dict[str, Preset[DistillConfig]] = {}


def register(name: str, build: Callable[[], DistillConfig], **words: object) -> None:
    """Add a preset whose description is the docstring of `build`.

    Args:
        name: what `--preset` takes.
        build: makes the configuration; a `functools.partial` lends its function's docstring.
        words: replace `{word}` in the docstring.
    """
    documented = getattr(build, "func", build)
    description = inspect.cleandoc(documented.__doc__ or "").format(**words)
    _presets[name] = Preset(name, description, build)


def find_preset(name: str) -> Preset[DistillConfig]:
    """Give the preset of a student's training that is called `name`; its `build` makes settings.

    Args:
        name: as `squeezespan presets` lists it.

    Raises:
        UserError: no preset has this name; the message suggests the nearest one.
    """
    if name in (AUTO, *GAN_PRESETS):
        raise UserError(
            f"the preset {name!r} is one of `squeezespan gan train` (in Python: find_gan_preset)"
        )
    if name not in _presets:
        hint = closest(name, list(_presets))
        raise UserError(
            f"there is no preset {name!r}{hint}; `squeezespan presets` lists all of them"
        )
    return _presets[name]


def list_presets() -> list[Preset[DistillConfig]]:
    """Give all presets in the order in which they were registered."""
    return list(_presets.values())
