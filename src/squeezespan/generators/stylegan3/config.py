"""Sizes of StyleGAN3: every layer's sampling, and the ladder of frequencies behind it.

A configuration lists its layers in full, because StyleGAN-XL's super-resolution networks and some
checkpoints have layers that no short recipe gives.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from squeezespan.settings import Range

__all__ = ["Ladder", "LayerConfig", "StyleGAN3Config", "design_layers"]


@dataclass(frozen=True)
class LayerConfig:
    """One layer of the synthesis network; frequencies are in cycles per image side."""

    name: str
    in_channels: int
    out_channels: int
    in_size: int
    """Side of the square input map, margins included."""
    out_size: int
    in_sampling_rate: int
    """Samples per image side: the map's resolution without margins."""
    out_sampling_rate: int
    in_cutoff: float | None
    """None, as the three below, where the filters are known from the weights alone."""
    out_cutoff: float | None
    in_half_width: float | None
    out_half_width: float | None
    conv_kernel: int = 3
    is_torgb: bool = False
    is_critically_sampled: bool = False
    down_radial: bool = False
    conv_clamp: float | None = 256.0
    filter_size: int = 6
    """Taps per sample of the lower rate."""
    lrelu_upsampling: int = 2

    @property
    def inner_sampling_rate(self) -> int:
        """The rate at which the nonlinearity works."""
        rate = max(self.in_sampling_rate, self.out_sampling_rate)
        return rate if self.is_torgb else rate * self.lrelu_upsampling

    @property
    def up_factor(self) -> int:
        """Upsampling before the nonlinearity."""
        return self.inner_sampling_rate // self.in_sampling_rate

    @property
    def down_factor(self) -> int:
        """Downsampling after the nonlinearity."""
        return self.inner_sampling_rate // self.out_sampling_rate

    @property
    def up_taps(self) -> int:
        """Length of the upsampling filter; 1 for none."""
        return self._taps(self.up_factor)

    @property
    def down_taps(self) -> int:
        """Length of the downsampling filter; 1 for none."""
        return self._taps(self.down_factor)

    def _taps(self, factor: int) -> int:
        return 1 if factor == 1 or self.is_torgb else factor * self.filter_size

    @property
    def padding(self) -> tuple[int, int]:
        """Samples to add before and after each axis at the inner rate; negative crops."""
        wanted = (self.out_size - 1) * self.down_factor + self.up_taps + self.down_taps - 1
        total = wanted - (self.in_size + self.conv_kernel - 1) * self.up_factor
        before = (total + self.up_factor) // 2
        return before, total - before


@dataclass(frozen=True)
class StyleGAN3Config:
    """All that a StyleGAN3 generator is built from; survives a trip through JSON."""

    resolution: int
    layers: tuple[LayerConfig, ...]
    channels: int = 3
    z_dim: int = 512
    w_dim: int = 512
    num_classes: int = 0
    mapping_layers: int = 2
    w_avg_beta: float = 0.998
    input_size: int = 36
    input_sampling_rate: int = 16
    input_bandwidth: float = 2.0
    output_scale: float = 0.25
    mapping_lr_multiplier: Annotated[float, Range(0, 100, above=True)] = 0.01
    """Scales the mapping layers' weights and biases at run time."""

    def __post_init__(self) -> None:
        """Turn the mappings that JSON gives for layers back into layers."""
        layers: Sequence[LayerConfig | Mapping[str, Any]] = self.layers
        rebuilt = tuple(x if isinstance(x, LayerConfig) else LayerConfig(**x) for x in layers)
        object.__setattr__(self, "layers", rebuilt)

    @property
    def num_ws(self) -> int:
        """One w for the input and one for every layer."""
        return len(self.layers) + 1

    @property
    def block_layers(self) -> dict[str, LayerConfig]:
        """Block name to the layer whose map is that block's feature, coarse to fine.

        A block is all layers of one sampling rate, which is the map's resolution without margins;
        ToRGB belongs to none.
        """
        return {f"b{x.out_sampling_rate}": x for x in self.layers if not x.is_torgb}


@dataclass(frozen=True)
class Ladder:
    """How frequencies and widths go from the input to the image (Karras et al. 2021, Section 3.2).

    The defaults are config T's; config R has `conv_kernel` 1, radial filters and twice the widths.
    """

    resolution: int
    channels: int = 3
    channel_base: int = 32768
    channel_max: int = 512
    num_layers: int = 14
    num_critical: int = 2
    first_cutoff: float = 2.0
    first_stopband: float = 2**2.1
    last_stopband_rel: float = 2**0.3
    margin_size: int = 10
    conv_kernel: int = 3
    use_radial_filters: bool = False
    conv_clamp: float | None = 256.0
    filter_size: int = 6
    lrelu_upsampling: int = 2


@dataclass(frozen=True)
class _Rung:
    """What one layer puts out."""

    cutoff: float
    half_width: float
    sampling_rate: int
    size: int
    channels: int


def design_layers(ladder: Ladder, stem: LayerConfig | None = None) -> tuple[LayerConfig, ...]:
    """Work out every layer, ToRGB included.

    Args:
        ladder: the network's, or that of the layers that continue `stem`.
        stem: the last layer of the network that is continued; its output takes the place of
            `first_cutoff` and `first_stopband`, and numbers start two above its own.
    """
    rungs = _rungs(ladder, stem)
    last = len(rungs) - 1
    first_index = 0 if stem is None else int(stem.name[1:].split("_")[0]) + 2
    layers = []
    for i, rung in enumerate(rungs):
        previous = rungs[max(i - 1, 0)]
        critical = i >= ladder.num_layers - ladder.num_critical
        in_channels = stem.out_channels if stem and i == 0 else previous.channels
        layers.append(
            LayerConfig(
                name=f"L{first_index + i}_{rung.size}_{rung.channels}",
                in_channels=in_channels,
                out_channels=rung.channels,
                in_size=previous.size,
                out_size=rung.size,
                in_sampling_rate=previous.sampling_rate,
                out_sampling_rate=rung.sampling_rate,
                in_cutoff=previous.cutoff,
                out_cutoff=rung.cutoff,
                in_half_width=previous.half_width,
                out_half_width=rung.half_width,
                conv_kernel=1 if i == last else ladder.conv_kernel,
                is_torgb=i == last,
                is_critically_sampled=critical,
                down_radial=ladder.use_radial_filters and not critical,
                conv_clamp=ladder.conv_clamp,
                filter_size=ladder.filter_size,
                lrelu_upsampling=ladder.lrelu_upsampling,
            )
        )
    return tuple(layers)


def _rungs(ladder: Ladder, stem: LayerConfig | None) -> list[_Rung]:
    first_cutoff, first_stopband = ladder.first_cutoff, ladder.first_stopband
    if stem is not None:
        assert stem.out_cutoff is not None
        assert stem.out_half_width is not None
        first_cutoff = stem.out_cutoff
        first_stopband = stem.out_cutoff + stem.out_half_width
    last_cutoff = ladder.resolution / 2
    last_stopband = last_cutoff * ladder.last_stopband_rel
    rungs = []
    for i in range(ladder.num_layers + 1):
        progress = min(i / (ladder.num_layers - ladder.num_critical), 1.0)
        cutoff = first_cutoff * (last_cutoff / first_cutoff) ** progress
        stopband = first_stopband * (last_stopband / first_stopband) ** progress
        rate = 2 ** math.ceil(math.log2(min(2 * stopband, ladder.resolution)))
        if stem is not None and i == 0:
            rate = stem.out_sampling_rate
        margins = 0 if i >= ladder.num_layers - 1 else 2 * ladder.margin_size
        width = round(min(ladder.channel_base / 2 / cutoff, ladder.channel_max))
        rungs.append(
            _Rung(
                cutoff=cutoff,
                half_width=max(stopband, rate / 2) - cutoff,
                sampling_rate=rate,
                size=rate + margins,
                channels=ladder.channels if i == ladder.num_layers else width,
            )
        )
    return rungs
