"""Giving weights of another repository's layout the published names and shapes."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.untrusted.wording import shown

__all__ = [
    "Convert",
    "Layout",
    "Rule",
    "as_it_is",
    "check_square_mapping",
    "conv_name",
    "each",
    "gain_of_four",
    "rename",
    "rule",
    "size_of",
    "squeezed",
]

_MAX_LEVEL = 20

Convert = Callable[[Tensor], Tensor]


def as_it_is(x: Tensor) -> Tensor:
    """Leave a weight alone."""
    return x


@dataclass(frozen=True)
class Rule:
    """How the weights of some names are called and laid out in the published networks."""

    pattern: str
    """Matches the whole name."""
    name: Callable[[re.Match[str]], str]
    convert: Convert = as_it_is


def rule(pattern: str, name: str, convert: Convert = as_it_is) -> Rule:
    """Give a rule whose published name is a template for the match, as in `re.Match.expand`."""
    return Rule(pattern, lambda match: match.expand(name), convert)


def each(
    layers: Sequence[tuple[str, Callable[[re.Match[str]], str]]],
    weights: Sequence[tuple[str, str, Convert]],
    separator: str = ".",
) -> list[Rule]:
    """Give the rules of every weight of every layer.

    Args:
        layers: pattern of a layer's name, and its published name.
        weights: a weight's name within its layer, the published one, and what becomes of it.
        separator: what stands between a layer's name and a weight's.
    """

    def named(place: Callable[[re.Match[str]], str], ours: str) -> Callable[[re.Match[str]], str]:
        return lambda match: f"{place(match)}.{ours}"

    return [
        Rule(f"{layer}{re.escape(separator + theirs)}", named(place, ours), convert)
        for layer, place in layers
        for theirs, ours, convert in weights
    ]


@dataclass(frozen=True)
class Layout:
    """One repository's layout of StyleGAN2."""

    name: str
    """Whose StyleGAN2 it is, for people."""
    recognizes: Callable[[Network], bool]
    rules: Callable[[Network], Sequence[Rule]]
    told: Mapping[str, Any] = field(default_factory=dict)
    """What every network of this layout has, though the weights don't show it."""
    assumed: tuple[str, ...] = ()
    """What neither the weights nor the layout show, and is taken to be so."""
    ignored: str = r"(?!)"
    """Matches the whole names of weights that images don't depend on."""
    check_ignored: Callable[[Mapping[str, Tensor]], None] = lambda _: None
    """Refuses values of such weights, by their names, with which images would depend on others."""
    check: Callable[[Network], None] = lambda _: None
    """Refuses a renamed network that the layout can't have."""


def rename(network: Network, layout: Layout) -> Network:
    """Give a network of a layout the published names and shapes.

    Raises:
        UserError: it has a weight that the layout doesn't have, or one of an odd shape.
    """
    rules = layout.rules(network)
    kept = [name for name in network.shapes if not re.fullmatch(layout.ignored, name)]
    found = {name: _find(name, rules, layout) for name in kept}

    def read_state() -> dict[str, Tensor]:
        state = network.state
        layout.check_ignored({name: state[name] for name in state.keys() - found.keys()})
        return {ours: convert(state[name]).contiguous() for name, (ours, convert) in found.items()}

    shapes: dict[str, tuple[int, ...]] = {}
    for name, (ours, convert) in found.items():
        try:
            shapes[ours] = tuple(convert(network.outline[name]).shape)
        # Permuting axes that are not there.
        except (RuntimeError, IndexError, ValueError) as error:
            raise UserError(f"{shown(name)} has an odd shape {network.shapes[name]}") from error
    if len(shapes) != len(found):
        raise UserError(f"it holds a weight of {layout.name} StyleGAN2 twice")
    renamed = dataclasses.replace(
        network, shapes=shapes, read_state=read_state, told=layout.told, assumed=layout.assumed
    )
    layout.check(renamed)
    return renamed


def size_of(level: int) -> int:
    """Resolution of the block that is `level`th after the one at 8x8."""
    return 8 << min(level, _MAX_LEVEL)


def conv_name(index: int) -> str:
    """Published name of the `index`th convolution, that at 4x4 being the first."""
    if index == 0:
        return "synthesis.b4.conv1"
    return f"synthesis.b{size_of((index - 1) // 2)}.conv{(index - 1) % 2}"


def squeezed(axes: int) -> Convert:
    """Give what drops leading axes of one as long as there are more than `axes`."""

    def convert(x: Tensor) -> Tensor:
        while x.ndim > axes and x.shape[0] == 1:
            x = x[0]
        return x

    return convert


def gain_of_four(x: Tensor) -> Tensor:
    """Give a filter without the gain that upsampling by two needs."""
    return x / 4


def check_square_mapping(network: Network) -> None:
    """Refuse a mapping network that takes more than z, in layouts without classes.

    Raises:
        UserError: a layer takes more than it gives.
    """
    for name, shape in network.shapes.items():
        if re.fullmatch(r"mapping\.fc\d+\.weight", name) and shape[-1] > shape[0]:
            raise UserError(
                f"its layer {name} maps {shape[-1]} numbers to {shape[0]}, where this layout has "
                "as many of both: what a conditional network does with its classes it can't tell"
            )


def _find(name: str, rules: Sequence[Rule], layout: Layout) -> tuple[str, Convert]:
    for one in rules:
        match = re.fullmatch(one.pattern, name)
        if match is not None:
            return one.name(match), one.convert
    raise UserError(f"it has a weight {shown(name)}, which {layout.name} StyleGAN2 lacks")
