"""Where a result comes from, as names and values for a page."""

import json
from pathlib import Path
from typing import Any

from squeezespan.errors import UserError
from squeezespan.generators.registry import read_generator_header
from squeezespan.settings import flatten

__all__ = ["describe_generator", "describe_last_session", "describe_session", "describe_settings"]

Facts = list[tuple[str, str]]


def describe_session(session: dict[str, Any], device: str) -> Facts:
    """Tell what software and machine a result was made with.

    Args:
        session: from `squeezespan.environment.environment`.
        device: as torch names it.
    """
    cpu = session["cpu"]
    gpus = session["gpus"] if device.startswith("cuda") else []
    machine = f"{cpu['name']}, {cpu['cores']} cores, {cpu['threads']} threads"
    packages = [f"{name} {version}" for name, version in session["packages"].items() if version]
    return [
        ("Command", session["command"]),
        ("Date", session["time"]),
        ("Device", f"{device} ({', '.join([*gpus, machine])})"),
        ("System", f"{session['os']}, Python {session['python']}"),
        ("Squeezespan", _version(session)),
        ("Libraries", ", ".join(packages)),
    ]


def describe_last_session(run: Path) -> Facts:
    """Tell what software and machine the last session of a run was made with.

    Args:
        run: a folder with `environment.json`.
    """
    session = json.loads((run / "environment.json").read_text(encoding="utf-8"))["sessions"][-1]
    return describe_session(session, session["device"])


def describe_generator(gan: str) -> Facts:
    """Tell what the header of a generator's file says about it.

    Args:
        gan: a path or a builtin name.
    """
    try:
        header = read_generator_header(gan)
    except UserError as error:
        return [("GAN", f"{gan} ({error})")]
    facts = [("GAN", f"{gan}, {header.get('family', 'of an unknown family')}")]
    provenance = header.get("provenance") or {}
    return facts + [
        (f"GAN: {name.replace('_', ' ')}", _plain(value)) for name, value in provenance.items()
    ]


def describe_settings(config: Any, usual: Any = None) -> Facts:
    """Tell the settings of a run by their names.

    Args:
        config: a dataclass of settings.
        usual: the same class's; only those that differ from it are told. None tells all.
    """
    same = {} if usual is None else flatten(usual)
    return [
        (name, str(value))
        for name, value in flatten(config).items()
        if name not in same or value != same[name]
    ]


def _version(session: dict[str, Any]) -> str:
    commit = session["commit"]
    return f"{session['squeezespan']}, commit {commit}" if commit else session["squeezespan"]


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return "; ".join(map(_plain, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
