"""The target that is measured before the first step, on images that no step sees."""

import sys
from collections.abc import Iterator

from lightning_fabric import Fabric
from torch import Tensor

from squeezespan.distillation.stream import Stream
from squeezespan.models.targets import StandardizedTarget
from squeezespan.progress import Progress
from squeezespan.runs.launch import on_main_process

__all__ = ["measure_target"]

_SHOWN = 8
"""Channels that are named on the terminal; the student's file names all."""


def measure_target(fabric: Fabric, target: StandardizedTarget, stream: Stream, images: int) -> None:
    """Measure the statistics of a target; every process gets those of the first one.

    Args:
        fabric: launched.
        target: gets the statistics.
        stream: draws the images.
        images: how many.

    Raises:
        UserError: the features are not fit to be a target.
    """

    def measure() -> dict[str, Tensor]:
        with Progress(images, unit="images", description="measuring the target") as progress:
            target.measure(_counted(stream.sources(images), progress))
        return target.state_dict()

    target.load_state_dict(on_main_process(fabric, measure))
    if fabric.is_global_zero and target.left_out:
        names = target.left_out
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        print(
            f"{len(names)} of {len(target.varying)} channels of the generator's features are the "
            f"same for every image and are left out of the target: "
            f"{', '.join(names[:_SHOWN])}{more}",
            file=sys.stderr,
        )


def _counted(
    sources: Iterator[dict[str, Tensor]], progress: Progress
) -> Iterator[dict[str, Tensor]]:
    for source in sources:
        yield source
        progress.update(len(next(iter(source.values()))))
