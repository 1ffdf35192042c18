"""Rows of a dry run that students and GANs have in common."""

import textwrap
from collections.abc import Collection, Mapping
from typing import Any

from squeezespan.progress import duration
from squeezespan.settings import as_flag, flatten, from_dict

__all__ = ["changed_settings", "cost_rows"]

_LONGEST = 900
"""Characters of changed settings, which are about twelve lines."""


def changed_settings(cls: type, config: Mapping[str, Any], told: Collection[str] = ()) -> str:
    """Give the settings that are not the defaults, as the options that give them.

    Args:
        cls: the settings' dataclass.
        config: nested values of one, as `to_dict` gives them.
        told: names of those that other rows tell.
    """
    now, usual = flatten(from_dict(cls, config, where="config")), flatten(cls())
    changed = [
        f"{as_flag(name)} {_typed(value)}"
        for name, value in now.items()
        if value != usual[name] and name not in told
    ]
    return textwrap.shorten(" ".join(changed), _LONGEST, placeholder=" ...") or "none"


def cost_rows(plan: Mapping[str, Any], a_step: str) -> dict[str, str]:
    """Give what a training takes: where it runs, its time and its memory.

    Args:
        plan: has `device`, `hours`, `memory_gb` and the config.
        a_step: what was measured, such as `0.51 s a step`.
    """
    memory = plan["memory_gb"]
    return {
        "out": f"{plan['out']}, which holds {plan['out_holds']}",
        "device": f"{plan['device']} in {plan['config']['train']['precision']}",
        "time": f"{duration(plan['hours'] * 3600)} ({a_step}, measured here), checks not counted",
        "memory": "not measured: a whole step takes too long here"
        if memory is None
        else f"{memory:g} GB",
    }


def _typed(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
