"""The targets that are measured before the first step."""

import sys
from collections.abc import Iterator

from lightning_fabric import Fabric
from torch import Tensor

from squeezespan.distillation.stream import Stream
from squeezespan.methods.base import Method
from squeezespan.models.targets import StandardizedTarget
from squeezespan.progress import Progress
from squeezespan.runs.launch import on_main_process

__all__ = ["measure_targets"]

_SHOWN = 8
"""Channels that are named on the terminal; the student's file names all."""


def measure_targets(fabric: Fabric, method: Method, stream: Stream, images: int) -> None:
    """Measure the statistics of a method's targets; every process gets those of the first one.

    The generator's are of images that no step sees, the discriminator's of those to learn from.

    Args:
        fabric: launched.
        method: whose targets get their statistics.
        stream: gives the images.
        images: how many, at most.

    Raises:
        UserError: the features are not fit to be a target.
    """
    if method.standardized is not None:
        _measure(fabric, method.standardized, stream.sources(images), images)
    if method.real_standardized is not None:
        count = min(images, stream.real_images)
        _measure(fabric, method.real_standardized, stream.real_sources(count), count)


def _measure(
    fabric: Fabric, target: StandardizedTarget, sources: Iterator[dict[str, Tensor]], images: int
) -> None:
    which = "" if target.teacher == "generator" else f" of the {target.teacher}"

    def measure() -> dict[str, Tensor]:
        with Progress(images, unit="images", description=f"measuring the target{which}") as shown:
            target.measure(_counted(sources, shown))
        return target.state_dict()

    target.load_state_dict(on_main_process(fabric, measure))
    if fabric.is_global_zero and target.left_out:
        names = target.left_out
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        print(
            f"{len(names)} of {len(target.varying)} channels of the {target.teacher}'s features "
            f"are the same for every image and are left out of the target: "
            f"{', '.join(names[:_SHOWN])}{more}",
            file=sys.stderr,
        )


def _counted(
    sources: Iterator[dict[str, Tensor]], progress: Progress
) -> Iterator[dict[str, Tensor]]:
    for source in sources:
        yield source
        progress.update(len(next(iter(source.values()))))
