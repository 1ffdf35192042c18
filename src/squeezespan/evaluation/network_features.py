"""What a generator, its discriminator and students say of the same images."""

import torch
from torch import Tensor

from squeezespan.data.images import ImageSet
from squeezespan.evaluation.layers import discriminator_layers
from squeezespan.evaluation.networks import Networks, for_discriminator, for_student

__all__ = ["GENERATOR_FEATURES", "of_generated", "of_real", "of_student"]

GENERATOR_FEATURES = "generator features"
_AT_ONCE = 128


def of_generated(networks: Networks, count: int) -> tuple[dict[str, Tensor], Tensor | None]:
    """Features of generated images, and the classes that a conditional generator was told.

    Args:
        networks: a generator, and whatever else looks at its images.
        count: of images.

    Returns:
        By what gives them, features float32 [count, D]: the generator's blocks, pooled and joined,
        `w`, and what discriminator and students say; and int64 [count], None without classes.
    """
    parts: list[dict[str, Tensor]] = []
    labels: list[Tensor] = []
    for step, start in enumerate(range(0, count, _AT_ONCE)):
        some = min(_AT_ONCE, count - start)
        for seen in networks.generate(some, step, "blocks"):
            assert seen.generated is not None
            parts.append(
                {
                    GENERATOR_FEATURES: torch.cat(list(seen.layers.values()), dim=1),
                    "w": seen.generated.w[:, 0].float(),
                    **_judged(networks, seen.images),
                }
            )
            if seen.labels is not None:
                labels.append(seen.labels)
    return _joined(parts), torch.cat(labels).cpu() if labels else None


def of_real(networks: Networks, images: ImageSet) -> dict[str, Tensor]:
    """Features of real images float32 [N, D], by what gives them: discriminator and students."""
    parts = []
    for indices in torch.split(torch.arange(len(images)), _AT_ONCE):
        pixels = images.batch(indices).to(networks.device)
        parts.append(_judged(networks, pixels.float() / 127.5 - 1))
    return _joined(parts)


def _judged(networks: Networks, images: Tensor) -> dict[str, Tensor]:
    """What the discriminator and students say of images in [-1, 1]."""
    found = {}
    if networks.discriminator is not None:
        shown = for_discriminator(images, networks.discriminator)
        layers = discriminator_layers(networks.discriminator, shown, "blocks")
        found["discriminator features"] = torch.cat(list(layers.values()), dim=1)
    with torch.no_grad():
        for name, backbone in networks.students.items():
            found[of_student(name)] = backbone(for_student(images, backbone)).float()
    return found


def _joined(parts: list[dict[str, Tensor]]) -> dict[str, Tensor]:
    return {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}


def of_student(name: str) -> str:
    """Name a student's features."""
    return f"student {name}"
