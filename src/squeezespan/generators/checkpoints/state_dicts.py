"""Finding the networks' state dicts in what a file holds."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from squeezespan.untrusted.pickles.limits import MAX_ENTRIES, Budget
from squeezespan.untrusted.wording import is_name

__all__ = ["DISCRIMINATOR_ROLES", "GENERATOR_ROLES", "find_state_dicts", "loose_tensors", "rank"]

GENERATOR_ROLES = (
    *("G_ema", "g_ema", "Gs", "gs", "ema_G", "netG_ema", "generator_ema", "gen_ema", "model_ema"),
    *("ema_model", "G_running", "g_running", "avg_gen_state_dict", "avg_generator"),
    *("generator_smooth", "params_ema", "ema", "EMA"),
    *("G", "g", "netG", "generator", "gen", "gen_state_dict", "generator_state_dict"),
    # The decoder of pSp, e4e and ReStyle is a whole generator.
    *("G_state_dict", "decoder", "params", "model_state_dict", "state_dict", "model", "net"),
    *("weights", ""),
)
"""What checkpoints call the generator, the averaged one first."""

DISCRIMINATOR_ROLES = (
    *("D", "d", "netD", "discriminator", "disc", "dis", "dis_state_dict"),
    *("discriminator_state_dict", "D_state_dict"),
)
"""What checkpoints call the discriminator."""

_CONTAINERS = ("state_dict", "model", "params", "net", "weights", "model_state_dict", "")
_NETWORKS = (set(GENERATOR_ROLES) - set(_CONTAINERS)) | set(DISCRIMINATOR_ROLES)
_WRAPPERS = ("module.", "_orig_mod.")
_MAX_DEPTH = 3
_REMARKS = (str, int, float, bool, type(None))


def find_state_dicts(content: Any) -> dict[str, dict[str, Tensor]]:
    """Find every state dict in a checkpoint's content, however it is wrapped.

    Prefixes of data parallelism and compilation are taken off; a state dict of several networks
    is split where its first names tell which they are.

    Args:
        content: what was stored: a state dict, or dicts of such.

    Returns:
        name to state dict: the keys on the way joined by dots, "" where the content is one.

    Raises:
        MalformedError: there are far more entries than any checkpoint has.
    """
    found: dict[str, dict[str, Tensor]] = {}
    budget = Budget(MAX_ENTRIES, "it has far more entries than any checkpoint")
    _collect(content, "", found, budget, 0)
    return found


def loose_tensors(content: Any) -> dict[str, Tensor]:
    """Give the tensors that stand beside state dicts, such as an average of w."""
    if not isinstance(content, Mapping) or _state(content) is not None:
        return {}
    return {k: v.detach() for k, v in content.items() if is_name(k) and _is_plain(v)}


def rank(name: str, roles: tuple[str, ...]) -> int | None:
    """Give the place of a network among `roles` by any part of its name, None for none."""
    ranks = [roles.index(part) for part in name.split(".") if part in roles]
    return min(ranks, default=None)


def _collect(
    content: Any, name: str, found: dict[str, dict[str, Tensor]], budget: Budget, depth: int
) -> None:
    if not isinstance(content, Mapping) or depth > _MAX_DEPTH:
        return
    budget.charge(len(content))
    state = _state(content)
    if state is not None:
        for part, tensors in _split(_unwrap(state)).items():
            found[".".join(filter(None, (name, part)))] = tensors
        return
    for key, value in content.items():
        if is_name(key):
            _collect(value, f"{name}.{key}" if name else key, found, budget, depth + 1)


def _state(content: Mapping[Any, Any]) -> dict[str, Tensor] | None:
    """The content as a state dict: tensors under names, most of it, and little remarks."""
    tensors = {k: v.detach() for k, v in content.items() if is_name(k) and _is_plain(v)}
    others = [value for key, value in content.items() if key not in tensors]
    if len(tensors) < 2 or len(others) >= len(tensors):
        return None
    return tensors if all(isinstance(x, _REMARKS) for x in others) else None


def _is_plain(value: Any) -> bool:
    is_strided = isinstance(value, Tensor) and value.layout == torch.strided
    return is_strided and not value.is_quantized and not value.is_complex()


def _unwrap(state: dict[str, Tensor]) -> dict[str, Tensor]:
    # `torch.optim.swa_utils.AveragedModel` counts beside its `module.`
    state = {name: tensor for name, tensor in state.items() if name != "n_averaged"}
    wrapper = next((x for x in _WRAPPERS if all(name.startswith(x) for name in state)), None)
    if wrapper is None:
        return state
    return _unwrap({name.removeprefix(wrapper): tensor for name, tensor in state.items()})


def _split(state: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """The networks that stand in one state dict under names such as `generator.`."""
    first_names = {name.partition(".")[0] for name in state}
    networks = first_names & _NETWORKS
    if not networks:
        return {"": state}
    parts: dict[str, dict[str, Tensor]] = {name: {} for name in sorted(networks)}
    for name, tensor in state.items():
        first, _, rest = name.partition(".")
        if first in parts and rest:
            parts[first][rest] = tensor
    return {name: _unwrap(part) for name, part in parts.items() if part}
