"""How many images a generator makes at a time where nobody says."""

from squeezespan.generators.base import GeneratorInfo

__all__ = ["usual_batch"]

_MOST = 64
_NUMBERS = 1 << 28


def usual_batch(info: GeneratorInfo) -> int:
    """Give a number of images that take about a gigabyte with their feature maps, 1 to 64."""
    an_image = info.channels * info.resolution**2 + sum(
        channels * int(name.removeprefix("b")) ** 2
        for name, channels in info.block_channels.items()
    )
    return max(1, min(_MOST, _NUMBERS // max(an_image, 1)))
