"""What a generator's images take, found without numbers: on torch's meta device.

Sizes that follow from a file are bounded here, whatever its family, before an image is made.
"""

from typing import Any

import torch
from torch import Tensor
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from squeezespan.errors import UserError
from squeezespan.generators.base import Generated, Generator
from squeezespan.randomness import StepRandom

__all__ = ["check_images", "measure"]

_MAX_RESOLUTION = 4096
"""Four times the side of the largest published images."""
_MAX_NUMBERS = 1 << 29
"""In one tensor of one image; StyleGAN3-R's of 1024 pixels has half of it."""


def check_images(outline: Generator) -> None:
    """Refuse images that no network makes.

    Args:
        outline: a generator on the meta device.

    Raises:
        UserError: more than 4,096 pixels a side, or more than 2^29 numbers in a feature map.
    """
    side = outline.info.resolution
    if not 1 <= side <= _MAX_RESOLUTION:
        raise UserError(
            f"its images have {side:,} pixels a side; at most {_MAX_RESOLUTION:,} are supported"
        )
    with _Bounded():  # type: ignore[no-untyped-call]
        _one_image(outline)


def measure(generator: Any) -> tuple[dict[str, tuple[int, ...]], int]:
    """Give the shape [C, r, r] of every block and the FLOPs of an image, without making one.

    Args:
        generator: of a family, so that its configuration builds it.
    """
    with torch.device("meta"):
        outline = type(generator)(generator.config).freeze()
    with FlopCounterMode(display=False) as counter:
        generated = _one_image(outline)
    shapes = {name: tuple(x.shape[1:]) for name, x in generated.features.items()}
    return shapes, counter.get_total_flops()


def _one_image(outline: Generator) -> Generated:
    latents = outline.sample_latents(1, StepRandom(0, stream="outline")).to("meta")
    # Constants that are drawn from a fixed seed have numbers whatever the device.
    constants = {name: x.to("meta") for name, x in outline.named_buffers() if not x.is_meta}
    with torch.no_grad():
        generated: Generated = functional_call(outline, constants, (latents,))
    return generated


class _Bounded(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Refuses large tensors as soon as one is described."""

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor) and leaf.numel() > _MAX_NUMBERS:
                raise UserError(
                    f"one of its images takes feature maps of {leaf.numel():,} numbers, more than "
                    "any network's"
                )
        return result
