"""How many images a generator makes at a time where nobody says."""

from squeezespan.generators.base import GeneratorInfo

__all__ = ["usual_batch"]

_MOST = 64
_NUMBERS = 1 << 28


def usual_batch(info: GeneratorInfo) -> int:
    """Give a number of images whose feature maps take about a gigabyte in float32, 1 to 64."""
    an_image = sum(
        channels * int(name.removeprefix("b")) ** 2
        for name, channels in info.block_channels.items()
    )
    return max(1, min(_MOST, _NUMBERS // max(an_image, 1)))
