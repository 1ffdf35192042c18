"""What a training's settings begin with: a preset, a file, or the run that goes on."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from squeezespan.errors import UserError

__all__ = ["begin_with", "peek"]

Settings = TypeVar("Settings")


def peek(argv: Sequence[str], option: str) -> str | None:
    """Give the value of `option` in `argv`, None if absent, before the arguments are parsed.

    For an option such as `--preset` that decides the defaults of all others.
    """
    value = None
    for token, following in zip(argv, [*argv[1:], None], strict=False):
        name, equals, attached = token.partition("=")
        if name.replace("_", "-") == option:
            value = attached if equals else following
    return value


def begin_with(
    argv: Sequence[str],
    default: Settings,
    *,
    preset: Callable[[str], Settings],
    file: Callable[[Path], Settings],
    run: Callable[[Path], Settings],
) -> Settings:
    """Give the settings that a training's options change, before the arguments are parsed.

    Args:
        argv: the arguments after the command's name.
        default: where `argv` names nothing to begin with.
        preset: gives the settings of `--preset`.
        file: reads those of `--config`.
        run: reads those of the run in `--out` that `--resume` continues.

    Raises:
        UserError: both a preset and a file, or one that is not usable; a run to resume that isn't
            there, and nothing that would say how to begin it.
    """
    name, config, out = (peek(argv, option) for option in ("--preset", "--config", "--out"))
    if name is not None and config is not None:
        raise UserError("--preset and --config both give the settings; give one of them")
    if name is not None:
        return preset(name)
    if config is not None:
        return file(Path(config))
    if "--resume" in argv and out is not None:
        if (Path(out) / "config.json").exists():
            return run(Path(out))
        if peek(argv, "--data") is None:
            # A mistyped folder, which would begin a long training of the package's own images.
            raise UserError(
                f"{out} holds no run to resume; to begin one there, say what it learns from: "
                "--data, or --preset or --config"
            )
    return default
