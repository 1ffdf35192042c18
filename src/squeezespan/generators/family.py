"""What the opening of a file needs to know of a family of generators."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from squeezespan.generators.base import Generator
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.choices import Choices

__all__ = ["Family", "State"]

State = dict[str, Tensor]


def _as_it_is(state: State, *_: Any) -> tuple[State, list[str]]:
    return state, []


@dataclass(frozen=True)
class Family:
    """One family of generators."""

    name: str
    """As `GeneratorInfo.family` has it."""
    recognizes: Callable[[Mapping[str, Tensor]], bool]
    """Whether weights of such names are of this family."""
    configure: Callable[[Network, Choices], Any]
    """Give the configuration of a checkpoint's network."""
    config_class: Callable[..., Any]
    """Makes a configuration from what a header has."""
    build: Callable[[Any], Generator]
    """Makes the generator."""
    describe: Callable[[Any], str]
    """Say in a line what a configuration has that others of the family don't."""
    publish: Callable[[Network], Network] = lambda network: network
    """Give a network of another repository's layout the published names, any other as it is."""
    assume: Callable[[Network, Any, Choices], list[str]] = lambda *_: []
    """Say what of a configuration neither the file nor the user told."""
    complete: Callable[[State, Any, Network, Mapping[str, Tensor]], tuple[State, list[str]]] = (
        _as_it_is
    )
    """Add the weights that a file's layout leaves out, and say what they were taken to be; from
    state, configuration, network and the tensors beside it."""
    check: Callable[[Any, Mapping[str, Tensor]], None] = lambda _, __: None
    """Refuse a header's configuration that would cost more to build than its weights allow."""
    choose: Callable[[Any, Choices], Any] = lambda config, _: config
    """Change a header's configuration as the user chooses."""
