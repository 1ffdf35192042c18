"""Whether both steps compute the same: images, features and loss for equal inputs."""

import copy

import torch
from torch import Tensor

from squeezespan.generators.base import Generated
from squeezespan.generators.blocks import pool_features
from squeezespan.methods.base import Batch, Method
from squeezespan.randomness import StepRandom
from steps.grouped_stylegan2 import GroupedStyleGAN2
from steps.setting import Setting

__all__ = ["TOLERANCE", "differences"]

TOLERANCE = 1e-4


def differences(setting: Setting, images: int = 8) -> dict[str, float]:
    """Compare both forms in float32 on the CPU, from the same latents, noise and views.

    Ours runs channels-last, the plain one contiguous.

    Args:
        setting: sizes of the step.
        images: synthetic images, and as many real ones.

    Returns:
        name to the largest difference as a share of the largest value: of the images, of the
        feature map of every block, and of the loss.
    """
    generator = setting.generator().cpu()
    latents = generator.sample_latents(images, StepRandom(setting.seed))
    plain = GroupedStyleGAN2(generator)(latents, StepRandom(setting.seed, stream="noise"))
    method = setting.method(generator).cpu()
    generator.to(memory_format=torch.channels_last)
    with torch.no_grad():
        ours = generator(latents, noise="random", random=StepRandom(setting.seed, stream="noise"))
    found = {"images": _difference(ours.images, plain.images)}
    for name, feature in ours.features.items():
        found[name] = _difference(feature, plain.features[name])
    ours_method = copy.deepcopy(method).to(memory_format=torch.channels_last)
    random = StepRandom(setting.seed, stream="views")
    views = [random.normal(images, 3, 32, 32) for _ in range(3)]
    channels_last = [view.contiguous(memory_format=torch.channels_last) for view in views]
    found["loss"] = _difference(
        _loss(ours_method, ours, channels_last), _loss(method, plain, views)
    )
    return found


def _loss(method: Method, generated: Generated, views: list[Tensor]) -> Tensor:
    source = pool_features(generated.features, list(generated.features))
    batch = Batch(real_views=(views[0], views[1]), synthetic_views=(views[2],), source=source)
    loss: Tensor = method(batch)["loss"]
    return loss.detach()


def _difference(ours: Tensor, plain: Tensor) -> float:
    return float((ours - plain).abs().max() / plain.abs().max())
