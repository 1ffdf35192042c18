"""DCGAN generators out of checkpoints."""

from collections.abc import Mapping
from itertools import pairwise

from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.generators.dcgan.network import DCGANConfig, DCGANGenerator
from squeezespan.generators.family import Family
from squeezespan.generators.state_shapes import StateShapes

__all__ = ["FAMILY", "config_from_state"]


def config_from_state(state: Mapping[str, Tensor]) -> DCGANConfig:
    """Infer a DCGAN's sizes from names and shapes.

    Args:
        state: a state dict in one of the recognised layouts; see the module's docstring.

    Raises:
        UserError: the tensors aren't a chain of transposed convolutions that double the size.
    """
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
    kernels = {size[2:] for size in sizes[1:]}
    kernel, *others = kernels
    if others or kernel[0] != kernel[1] or kernel[0] % 2 or sizes[0][2] != sizes[0][3]:
        raise shapes.refusal("its convolutions after the first don't share an even, square kernel")
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
    widths = tuple(size[1] for size in sizes)
    if norms and [shapes.shape(f"{name}.running_mean", 1)[0] for name in norms] != [*widths[:-1]]:
        raise shapes.refusal("its batch norms aren't one behind each convolution but the last")
    return DCGANConfig(
        z_dim=sizes[0][0],
        widths=widths[:-1],
        channels=widths[-1],
        bottom_width=sizes[0][2],
        kernel_size=kernel[0],
        conv_names=tuple(convs),
        norm_names=tuple(norms),
        biases=tuple(f"{name}.bias" in shapes for name in convs),
    )


def _recognizes(state: Mapping[str, Tensor]) -> bool:
    """DCGANs have no names in common, only their chain of convolutions."""
    try:
        config_from_state(state)
    except UserError:
        return False
    return True


def _describe(config: DCGANConfig) -> str:
    norms = "batch norm" if config.norm_names else "no norm"
    return f"{len(config.conv_names)} transposed convolutions, {norms}"


FAMILY = Family(
    "dcgan",
    _recognizes,
    lambda network, _: config_from_state(network.outline),
    DCGANConfig,
    DCGANGenerator,
    _describe,
)
