"""What reading a checkpoint gives, whatever its format: networks by name, as plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from squeezespan.errors import UserError

__all__ = ["UNREADABLE", "Checkpoint", "Network", "NetworkModule"]


class _Unreadable:
    """An attribute that is no plain data."""

    def __repr__(self) -> str:
        return "something that is no plain data"


UNREADABLE = _Unreadable()
"""Stands for what a file keeps under a name and can't be told."""


@dataclass(frozen=True)
class NetworkModule:
    """One module of a pickled network."""

    class_name: str
    arguments: Mapping[str, Any]
    """Keyword arguments of its constructor, where the pickle holds them."""
    attributes: Mapping[str, Any]
    """Its other attributes that are numbers, text or containers of such; arrays as lists, anything
    else as `UNREADABLE`."""


@dataclass(frozen=True)
class Network:
    """One network of a checkpoint."""

    name: str
    """As the file calls it: `G_ema`, `state_dict`, ...; empty where the file is the network."""
    shapes: Mapping[str, tuple[int, ...]]
    """Names and shapes of its weights, known without reading them."""
    read_state: Callable[[], dict[str, Tensor]]
    modules: Mapping[str, NetworkModule] = field(default_factory=dict)
    """Dotted name to module, the network itself under ""; empty for bare weights."""
    unknown_class: str = ""
    """One that a part of it has and that no list knows; empty for none."""
    told: Mapping[str, Any] = field(default_factory=dict)
    """What bare weights say by their layout alone, by the name of the constructor's argument."""
    assumed: tuple[str, ...] = ()
    """What a layout leaves open and is taken to be so, in words."""

    @cached_property
    def state(self) -> dict[str, Tensor]:
        """Names and tensors, on the CPU, read when they are first asked for.

        Raises:
            UserError: the weights are damaged.
        """
        return self.read_state()

    @cached_property
    def outline(self) -> dict[str, Tensor]:
        """Tensors of the weights' shapes without numbers, on the meta device."""
        return {name: torch.empty(shape, device="meta") for name, shape in self.shapes.items()}

    def check_classes(self, path: Path) -> None:
        """Refuse a network of which a part is of an unknown class, and could do anything.

        Args:
            path: of its file, for the message.

        Raises:
            UserError: the message names the class.
        """
        if self.unknown_class:
            raise UserError(
                f"{path}: {self.name or 'its network'} has a part of {self.unknown_class}, a class "
                "that no known generator has; where you trust the file, open it with the code that "
                "wrote it and save the generator's state_dict()"
            )

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Keyword arguments of its constructor; empty for bare weights."""
        return self.modules[""].arguments if self.modules else {}

    @property
    def attributes(self) -> Mapping[str, Any]:
        """Its plain attributes; empty for bare weights."""
        return self.modules[""].attributes if self.modules else {}


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file."""

    path: Path
    format: str
    """For people: "module pickle", "torch.save archive", ..."""
    networks: Mapping[str, Network]
    """By the name that the file gives them, in its order."""
    loose: Mapping[str, Tensor] = field(default_factory=dict)
    """Tensors that stand beside the networks, such as an average of w."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Of a file that `save_network` wrote, with its header; empty for others."""
