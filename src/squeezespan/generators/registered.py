"""Generators that a program registers under a name, to be used where a file is named."""

import copy
import hashlib
from collections.abc import Sequence

import torch
from torch import nn

from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.custom import ModuleGenerator

__all__ = ["PREFIX", "find_registered", "register_generator", "registered_sha256"]

PREFIX = "registered:"

_REGISTERED: dict[str, Generator] = {}


def register_generator(
    name: str,
    network: nn.Module,
    *,
    z_shape: int | Sequence[int] | None = None,
    num_classes: int = 0,
    layers: Sequence[str] | None = None,
    image_range: tuple[float, float] = (-1.0, 1.0),
) -> str:
    """Let a module of one's own stand wherever a generator's file can be named.

    The registration lasts as long as the process; a copy of the network in its present state is
    kept, in eval mode. Registering a name again replaces what it stood for.

    Args:
        name: letters, digits and `._-`.
        network: maps z [B, *z_shape] (and class indices, int64 [B], where there are classes) to
            images [B, C, R, R], or to such images and its feature maps, a dict or sequence of
            [B, C, r, r] in the order in which they are computed. Without them, forward hooks look
            at what its submodules put out. Or a `squeezespan.generators.Generator`, which needs
            no other argument.
        z_shape: shape of one z, such as 128 or (100, 1, 1); its numbers are standard normal.
        num_classes: 0 for an unconditional network.
        layers: names of the submodules whose maps are the features; None takes, of all, the last
            of each resolution.
        image_range: values of black and white in the network's images.

    Returns:
        `registered:NAME`, which `load_generator` and the setting `gan` take.

    Raises:
        UserError: an odd name or range, no module, a missing z_shape, or a network that can't be
            run on such z or shows no images or feature maps.
    """
    if not name or not all(x.isalnum() or x in "._-" for x in name):
        raise UserError(f"a generator's name is letters, digits and ._- only, not {name!r}")
    if not isinstance(network, nn.Module):
        raise UserError(f"the network must be a torch.nn.Module, not a {type(network).__name__}")
    ends = list(image_range)
    if len(ends) != 2 or not ends[0] < ends[1]:
        raise UserError(f"image_range must go from black to white, not {image_range}")
    if num_classes < 0:
        raise UserError(f"num_classes is {num_classes}, but must be at least 0")
    kept = copy.deepcopy(network).eval().requires_grad_(False)
    if isinstance(kept, Generator):
        _REGISTERED[name] = kept
    elif z_shape is None:
        raise UserError("give z_shape, the shape of one z that the network takes, such as 128")
    else:
        _REGISTERED[name] = ModuleGenerator(
            kept, z_shape=z_shape, num_classes=num_classes, layers=layers, image_range=image_range
        ).eval()
    return f"{PREFIX}{name}"


def find_registered(gan: str) -> Generator:
    """Give the generator that `registered:NAME` stands for.

    Raises:
        UserError: this process has registered none of that name.
    """
    name = gan.removeprefix(PREFIX)
    if name not in _REGISTERED:
        known = ", ".join(_REGISTERED) or "none"
        raise UserError(
            f"no generator is registered as {name!r} in this process (there is {known}); "
            "squeezespan.register_generator does that, from Python only"
        )
    return _REGISTERED[name]


def registered_sha256(gan: str) -> str:
    """Give the SHA-256 of the weights that `registered:NAME` stands for, in hexadecimal.

    Raises:
        UserError: this process has registered none of that name.
    """
    digest = hashlib.sha256()
    for name, tensor in find_registered(gan).state_dict().items():
        flat = tensor.detach().cpu().contiguous().flatten()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
