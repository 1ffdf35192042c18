"""The folder of a demo: new, or its own to go on in; never one that holds something else."""

import dataclasses
from pathlib import Path

from squeezespan.demo.settings import DemoOptions, DemoPlan, load_plan
from squeezespan.errors import UserError
from squeezespan.runs.run_folder import RunFolder
from squeezespan.settings import flatten

__all__ = ["RESULT", "demo_folder", "find_plan"]

RESULT = "demo.json"

_ELSE = "choose another --out"


def demo_folder(path: Path) -> RunFolder[DemoPlan]:
    """The folder of a demo; its `config.json` is the plan."""
    return RunFolder(
        path, load_plan, "demo", RESULT, ("report.html",), frozenset({"options.device"})
    )


def find_plan(
    folder: RunFolder[DemoPlan], options: DemoOptions, gan_sha256: str
) -> DemoPlan | None:
    """Look for a plan to go on with, without writing anything.

    Args:
        folder: which may not exist.
        options: what is asked for now; a precision of `auto` is any precision.
        gan_sha256: of the generator's file.

    Returns:
        The plan of the demo that the folder holds; None where the folder is new or empty.

    Raises:
        UserError: the folder holds something that is no demo, or a demo with other options.
    """
    path = folder.path
    if not path.exists():
        return None
    if not path.is_dir():
        raise UserError(f"{path} is a file; --out must name a folder")
    if not folder.config.exists():
        held = sorted(item.name for item in path.iterdir() if item.name != ".lock")
        if held:
            raise UserError(f"{path} holds something else ({held[0]}); {_ELSE}")
        return None
    try:
        plan = load_plan(folder.config)
    except UserError as error:
        raise UserError(f"{path} holds something that is not a demo; {_ELSE}") from error
    if options.precision == "auto":
        options = dataclasses.replace(options, precision=plan.options.precision)
    asked = flatten(options)
    for name, value in flatten(plan.options).items():
        if name != "device" and asked[name] != value:
            raise UserError(
                f"{path} holds a demo with --{name} {value}, not {asked[name]}; "
                f"give the same options, or {_ELSE}"
            )
    if plan.gan_sha256 != gan_sha256:
        raise UserError(f"{path} holds a demo with another file {options.gan}; {_ELSE}")
    return plan
