"""At which resolution a student is trained, and what becomes of the images' pixels."""

import dataclasses
from dataclasses import dataclass

from squeezespan.config import DistillConfig
from squeezespan.data.notices import say
from squeezespan.data.sizes import Sizes
from squeezespan.errors import UserError
from squeezespan.models.backbones import default_stem

__all__ = ["SettledSizes", "settle_sizes"]

_LARGEST_AUTO = 256
_SMALLEST = 8


@dataclass(frozen=True)
class SettledSizes:
    """The images' sizes, and the resolution that they are brought to."""

    stored: Sizes
    resolution: int
    why: str
    """What asks for the resolution, in a few words; empty where it is the images' own."""

    def describe(self, count: int) -> str:
        """Give, of `count` images, such as `57 images of 256 pixels, brought to 32 (the GAN's)`."""
        return self.stored.describe(count, self.resolution, self.why)


def settle_sizes(
    config: DistillConfig, stored: Sizes, gan_side: int | None
) -> tuple[DistillConfig, SettledSizes]:
    """Put a number in the place of `auto`, and say so where most pixels are thrown away.

    A number in the settings stands, whoever gave it: the user, a preset (the paper's and those
    with `-mini` are made for one data set) or an earlier run. `auto` is the smaller of the
    images' side and the GAN's, and 256 at most.

    Args:
        config: the run's settings.
        stored: sizes of the images.
        gan_side: side of the generator's images, pixels; None where none is used.

    Returns:
        The settings with `images.resolution` and `student.stem` settled, and what to say.

    Raises:
        UserError: the generator's images are smaller than the resolution.
    """
    images, student = config.images, config.student
    fitting = max(min(stored.side, gan_side or stored.side), _SMALLEST)
    if images.resolution == "auto":
        side = min(fitting, _LARGEST_AUTO)
        reasons = {_SMALLEST: "the least that auto takes", gan_side: "the GAN's", stored.side: ""}
        why = reasons.get(side, "the most that auto takes")
    else:
        side, why = images.resolution, "images.resolution"
    if gan_side is not None and gan_side < side:
        raise UserError(
            f"{config.gan} makes images of {gan_side} pixels, fewer than images.resolution, "
            f"{side}; lower it or take another generator"
        )
    _warn(config, SettledSizes(stored, side, why), fitting)
    stem = default_stem(student.arch, side) if student.stem == "auto" else student.stem
    settled = dataclasses.replace(
        config,
        images=dataclasses.replace(images, resolution=side),
        student=dataclasses.replace(student, stem=stem),
    )
    return settled, SettledSizes(stored, side, why)


def _warn(config: DistillConfig, sizes: SettledSizes, fitting: int) -> None:
    lost = sizes.stored.lost(sizes.resolution)
    if not lost:
        return
    if fitting <= sizes.resolution:
        advice = "the GAN makes no larger ones"
    else:
        advice = f"--images.resolution {fitting}"
        if config.student.stem == "cifar":
            advice += " --student.stem auto"
        advice += " keeps more of them"
    say(f"warning: {lost} of the pixels of {config.data} are thrown away; {advice}")
