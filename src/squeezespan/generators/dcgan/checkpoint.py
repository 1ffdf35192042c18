"""DCGAN generators out of checkpoints.

Recognised: any state dict whose 4-D tensors, in counting order of their names, are a chain of
transposed convolutions, with batch norms behind all but the last or without; PyTorch's example is
one (`main.0.weight`, `main.1.weight`, ...). Strides, paddings, activation and output leave no trace
in the weights. Unless the user says them, they are taken to be the example's: the first convolution
turns z into a map as large as its kernel, every later one doubles the size, ReLU and tanh.
"""

import dataclasses
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.choices import Choices
from squeezespan.generators.dcgan.network import (
    OUTPUTS,
    DCGANConfig,
    DCGANGenerator,
    map_sizes,
)
from squeezespan.generators.family import Family
from squeezespan.generators.state_shapes import StateShapes

__all__ = ["FAMILY", "config_from_state"]

_USUAL = Choices()
_MNIST_SIDE = 28


def config_from_state(state: Mapping[str, Tensor], choices: Choices = _USUAL) -> DCGANConfig:
    """Infer a DCGAN's sizes from names and shapes.

    Args:
        state: a state dict in one of the recognised layouts; see the module's docstring.
        choices: what the user says of strides, paddings, activation, output and classes.

    Raises:
        UserError: the tensors are no chain of transposed convolutions, or one that can't double the
            size where nothing is said, or what is said doesn't fit them.
    """
    shapes, convs, norms = _chain(state)
    sizes = [shapes.shape(f"{name}.weight", 4) for name in convs]
    kernels = tuple(size[2] for size in sizes)
    widths = tuple(size[1] for size in sizes)
    if choices.strides is None and choices.paddings is None and choices.output_paddings is None:
        _check_doubling(shapes, kernels)
    layers = len(convs)
    strides = _as_many("strides", choices.strides, layers) or (1, *[2] * (layers - 1))
    more = _as_many("output_paddings", choices.output_paddings, layers) or (0,) * layers
    usual = _usual_paddings(kernels, strides, more)
    paddings = _as_many("paddings", choices.paddings, layers) or usual
    classes = choices.classes or 0
    if classes >= sizes[0][0]:
        raise UserError(
            f"{classes} classes leave no z: its first convolution takes {sizes[0][0]} numbers"
        )
    activation, slope = _activation(choices.activation)
    config = DCGANConfig(
        z_dim=sizes[0][0] - classes,
        widths=widths[:-1],
        channels=widths[-1],
        kernels=kernels,
        strides=strides,
        paddings=paddings,
        output_paddings=more,
        conv_names=tuple(convs),
        norm_names=tuple(norms),
        biases=tuple(f"{name}.bias" in shapes for name in convs),
        activation=activation,
        activation_slope=slope,
        output=_output(choices.output),
        num_classes=classes,
    )
    if choices.paddings is None and config.channels == 1 and map_sizes(config)[-1] == 32:
        raise UserError(
            "its weights fit a network of 32 grey pixels (the later convolutions' padding is "
            f"{usual[-1]}) as well as one of MNIST's {_MNIST_SIDE} (the last one's is "
            f"{usual[-1] + 2}), and can't tell which: say it with --paddings, such as "
            f"{','.join(map(str, usual))} for 32 or "
            f"{','.join(map(str, (*usual[:-1], usual[-1] + 2)))} for {_MNIST_SIDE}"
        )
    return config


def _chain(state: Mapping[str, Tensor]) -> tuple[StateShapes, list[str], list[str]]:
    """The names of its convolutions and norms, if it is a chain of them."""
    shapes = StateShapes(state, "a DCGAN generator")
    convs = [
        name.removesuffix(".weight")
        for name in shapes.names()
        if shapes.rank(name) == 4 and name.endswith(".weight")
    ]
    if len(convs) < 2:
        raise shapes.refusal("it has fewer than two convolutions")
    sizes = [shapes.shape(f"{name}.weight", 4) for name in convs]
    for (name, before), (_, after) in pairwise(zip(convs, sizes, strict=True)):
        if before[1] != after[0]:
            raise shapes.refusal(f"what {name} gives is not what the next convolution takes")
    for name, size in zip(convs, sizes, strict=True):
        if size[2] != size[3]:
            raise shapes.refusal(f"the kernel of {name} is not square")
    norms = [
        name.removesuffix(".running_mean")
        for name in shapes.names()
        if name.endswith(".running_mean")
    ]
    of_norms = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    known = {f"{name}.{part}" for name in convs for part in ("weight", "bias")}
    known |= {f"{name}.{part}" for name in norms for part in of_norms}
    for name in shapes.names():
        if name not in known:
            raise shapes.refusal(f"it has an unknown tensor {name}")
    widths = [size[1] for size in sizes]
    if norms and [shapes.shape(f"{name}.running_mean", 1)[0] for name in norms] != widths[:-1]:
        raise shapes.refusal("its batch norms aren't one behind each convolution but the last")
    return shapes, convs, norms


def _usual_paddings(
    kernels: tuple[int, ...], strides: tuple[int, ...], more: tuple[int, ...]
) -> tuple[int, ...]:
    """Paddings with which every layer but the first multiplies the size by its stride."""
    later = list(zip(kernels, strides, more, strict=True))[1:]
    return (0, *(max(kernel - stride + out, 0) // 2 for kernel, stride, out in later))


def _check_doubling(shapes: StateShapes, kernels: tuple[int, ...]) -> None:
    """Refuse kernels that a chain which doubles the size doesn't have."""
    if len(set(kernels[1:])) > 1 or kernels[1] % 2:
        raise shapes.refusal(
            "its convolutions after the first don't share an even, square kernel, so they don't "
            f"all double the size (the kernels are {', '.join(map(str, kernels))}); --strides and "
            "--paddings say what they do"
        )


def _as_many(name: str, values: Any, layers: int) -> tuple[int, ...] | None:
    if values is None:
        return None
    numbers: tuple[int, ...] = tuple(values)
    if len(numbers) != layers:
        raise UserError(f"{len(numbers)} {name} are given, but it has {layers} convolutions")
    return numbers


def _activation(choice: str | None) -> tuple[str, float]:
    """Name and slope of `leaky_relu:0.2`, `leaky_relu` and the others, which have no slope."""
    name, colon, slope = (choice or "relu").replace("-", "_").partition(":")
    if not colon:
        return name, DCGANConfig.activation_slope
    try:
        number = float(slope)
    except ValueError:
        number = -1.0
    if name != "leaky_relu" or not 0 <= number <= 1:
        raise UserError(f"--activation {choice} is none; only leaky_relu takes a slope of 0 to 1")
    return name, number


def _output(choice: str | None) -> Any:
    output = choice or "tanh"
    if output not in OUTPUTS:
        raise UserError(f"a DCGAN's output is one of {', '.join(OUTPUTS)}, not {output}")
    return output


def _recognizes(state: Mapping[str, Tensor]) -> bool:
    """DCGANs have no names in common, only their chain of convolutions."""
    try:
        _chain(state)
    except UserError:
        return False
    return True


def _choose(config: DCGANConfig, choices: Choices) -> DCGANConfig:
    """Change what a file of ours says of what weights can't tell."""
    layers, changes = len(config.kernels), dict[str, Any]()
    for name in ("strides", "paddings", "output_paddings"):
        values = _as_many(name, getattr(choices, name), layers)
        if values is not None:
            changes[name] = values
    if choices.activation is not None:
        changes["activation"], changes["activation_slope"] = _activation(choices.activation)
    if choices.output is not None:
        changes["output"] = _output(choices.output)
    if choices.classes is not None:
        inputs = config.z_dim + config.num_classes
        if choices.classes >= inputs:
            raise UserError(f"{choices.classes} classes leave no z of {inputs} numbers")
        changes |= {"num_classes": choices.classes, "z_dim": inputs - choices.classes}
    return dataclasses.replace(config, **changes)


def _curve(config: DCGANConfig) -> str:
    is_leaky = config.activation == "leaky_relu"
    return f"{config.activation}:{config.activation_slope:g}" if is_leaky else config.activation


def _assume(_: Network, config: DCGANConfig, choices: Choices) -> list[str]:
    notes = []
    if choices.strides is None:
        notes.append(f"strides {_listed(config.strides)} (--strides)")
    if choices.paddings is None:
        side = map_sizes(config)[-1]
        notes.append(f"paddings {_listed(config.paddings)}, so {side} pixels (--paddings)")
    if choices.activation is None:
        notes.append(f"{_curve(config)} between the layers (--activation)")
    if choices.output is None:
        notes.append(f"{config.output} on the image (--output)")
    if choices.classes is None:
        notes.append("no classes (--classes)")
    return notes


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _describe(config: DCGANConfig) -> str:
    norms = "batch norm" if config.norm_names else "no norm"
    return (
        f"{len(config.conv_names)} transposed convolutions, strides {_listed(config.strides)}, "
        f"paddings {_listed(config.paddings)}, {norms}, {_curve(config)}, {config.output}"
    )


FAMILY = Family(
    "dcgan",
    _recognizes,
    lambda network, choices: config_from_state(network.outline, choices),
    DCGANConfig,
    DCGANGenerator,
    _describe,
    assume=_assume,
    choose=_choose,
)
