"""Let a shell complete commands, options and their values: bash, zsh or fish."""

from dataclasses import dataclass
from typing import Literal

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import Positional, Switch
from squeezespan.errors import UserError

__all__ = ["Options", "run"]

_PROG = "squeezespan completion"


@dataclass(frozen=True)
class Options:
    """What `squeezespan completion` takes."""

    shell: Positional[Literal["bash", "zsh", "fish"] | None] = None
    """Whose script is printed; the one that runs this command if left out."""
    install: Switch = False
    """Put the script where the shell looks for it, in place of printing it; bash's and zsh's
    start-up file gets a line that reads it."""


def run(argv: list[str]) -> None:
    """Run `squeezespan completion`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: no shell is named, and none is recognized.
    """
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    from squeezespan.cli.program import program

    app, shell = program(), options.shell or _running_shell()
    if options.install:
        print(app.install_completion(shell=shell))
        print("start a new shell to use it")
        return
    print(app.generate_completion(shell=shell))


def _running_shell() -> Literal["bash", "zsh", "fish"]:
    from cyclopts.completion import ShellDetectionError, detect_shell

    try:
        shell = detect_shell()
    except ShellDetectionError:
        shell = "powershell"
    if shell == "powershell":
        raise UserError(
            "the shell is none of bash, zsh and fish; name one: `squeezespan completion bash`"
        )
    return shell
