"""Any `nn.Module` that makes images from z, as a generator with block features.

Feature maps are those that the module returns beside its images, or else what its submodules put
out, seen by forward hooks. Both are grouped by the one rule of all families: in the order in which
they are computed, the last map of each resolution is taken.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.randomness import StepRandom

__all__ = ["ModuleGenerator", "group_by_resolution"]

_PROBE = 2


class ModuleGenerator(ConvolutionalGenerator):
    """A network of one's own, called as `network(z)`, or `network(z, labels)` with classes.

    It returns images [B, C, R, R], or a pair of them and its feature maps: a dict or sequence of
    [B, C, r, r] in the order in which they are computed. `w` is z, which truncation scales; noise
    is the network's own affair.

    Args:
        network: the network, in the mode in which it is to be run; it is run once to see what it
            gives.
        z_shape: shape of one z, such as 128, or (100, 1, 1) for a chain of convolutions.
        num_classes: 0 for an unconditional network.
        layers: names, as `named_modules` has them, of the submodules whose maps are taken; None
            looks at all. Ignored where the network returns its maps.
        image_range: values of black and white in the network's images.

    Raises:
        UserError: the network gives no square images, or shows no feature maps.
    """

    def __init__(
        self,
        network: nn.Module,
        *,
        z_shape: int | Sequence[int],
        num_classes: int = 0,
        layers: Sequence[str] | None = None,
        image_range: tuple[float, float] = (-1.0, 1.0),
    ) -> None:
        super().__init__()
        self.network = network
        self.z_shape = (z_shape,) if isinstance(z_shape, int) else tuple(z_shape)
        self.num_classes = num_classes
        self.layers = None if layers is None else tuple(layers)
        self.image_range = image_range
        if any(size < 1 for size in self.z_shape):
            raise UserError(f"z_shape is {z_shape}, but its sizes must be at least 1")
        known = dict(network.named_modules())
        for name in self.layers or ():
            if name not in known:
                raise UserError(f"the network has no submodule {name!r} to take feature maps from")
        self._info = self._probe()

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        return self._info

    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features; see `Generator.forward`."""
        labels = self.labels_of(latents)
        z = latents.z.float() * truncation
        with self.precision(z.device):
            images, features = self._run(z, labels)
        return Generated(images, features, z[:, None])

    def _run(self, z: Tensor, labels: Tensor | None) -> tuple[Tensor, dict[str, Tensor]]:
        seen: list[Tensor] = []
        hooks = [module.register_forward_hook(_keeper(seen)) for module in self._watched()]
        shaped = z.view(len(z), *self.z_shape)
        try:
            output = self.network(shaped) if labels is None else self.network(shaped, labels)
        # Whatever a network of somebody's own raises.
        except Exception as error:
            given = f"z {list(shaped.shape)}" + ("" if labels is None else " and classes")
            raise UserError(f"the network can't be run on {given}: {error}") from error
        finally:
            for hook in hooks:
                hook.remove()
        images, maps = _split(output)
        if images.ndim != 4 or len(images) != len(z) or images.shape[2] != images.shape[3]:
            raise UserError(
                f"the network must give square images [{len(z)}, channels, size, size], not "
                f"{list(images.shape)}"
            )
        features = group_by_resolution(seen if maps is None else maps, images)
        if not features:
            raise UserError(
                "the network shows no feature maps: return them beside the images, or name the "
                "submodules that make them with layers"
            )
        images, (low, high) = images.float(), self.image_range
        if (low, high) != (-1.0, 1.0):
            images = (images - low) * (2 / (high - low)) - 1
        return images, features

    def _watched(self) -> list[nn.Module]:
        """The submodules whose outputs are looked at; the network itself gives the images."""
        modules = dict(self.network.named_modules())
        if self.layers is not None:
            return [modules[name] for name in self.layers]
        return [module for name, module in modules.items() if name]

    @torch.no_grad()
    def _probe(self) -> GeneratorInfo:
        random = StepRandom(0, stream="probe", device=self.device)
        z = random.normal(_PROBE, math.prod(self.z_shape))
        labels = random.integers(_PROBE, high=self.num_classes) if self.num_classes else None
        images, features = self._run(z, labels)
        return GeneratorInfo(
            family="custom",
            resolution=images.shape[-1],
            channels=images.shape[1],
            z_dim=z.shape[1],
            w_dim=z.shape[1],
            num_ws=1,
            num_classes=self.num_classes,
            block_channels={name: feature.shape[1] for name, feature in features.items()},
        )


def group_by_resolution(maps: Iterable[Tensor], images: Tensor) -> dict[str, Tensor]:
    """Give the last map of each resolution by block name, coarse to fine.

    What is no square map of every image, has no more channels than an image or comes out coarser
    than a map before it (a side branch, such as an attention's) is passed over.

    Args:
        maps: in the order in which they were computed.
        images: [B, C, R, R], what they become.
    """
    batch, channels = images.shape[:2]
    features: dict[str, Tensor] = {}
    reached = 2
    for x in maps:
        if x.ndim != 4 or len(x) != batch or x.shape[2] != x.shape[3] or x.shape[1] <= channels:
            continue
        if x.shape[-1] >= reached:
            reached = x.shape[-1]
            features[f"b{reached}"] = x
    return features


def _keeper(seen: list[Tensor]) -> Any:
    def keep(module: nn.Module, inputs: Any, output: Any) -> None:
        seen.extend(_tensors(output))

    return keep


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping):
        for item in output.values():
            yield from _tensors(item)
    elif isinstance(output, list | tuple):
        for item in output:
            yield from _tensors(item)


def _split(output: Any) -> tuple[Tensor, list[Tensor] | None]:
    """Images, and the maps that stand beside them, None for none."""
    if isinstance(output, Tensor):
        return output, None
    if isinstance(output, list | tuple) and len(output) == 2 and isinstance(output[0], Tensor):
        return output[0], list(_tensors(output[1]))
    raise UserError(
        f"the network must return images, or images and feature maps, not {type(output).__name__}"
    )
