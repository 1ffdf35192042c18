"""StyleGAN2's synthesis with the modulated convolution in its grouped form.

As Karras et al. 2020 describe it (Section 2.2 and Appendix B): the styles and the demodulation go
into the weights, which gives every image kernels of its own, and one grouped convolution with the
batch folded into the channels applies them.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from squeezespan.generators.base import Generated, Latents
from squeezespan.generators.stylegan2 import StyleGAN2Generator, SynthesisBlock
from squeezespan.generators.stylegan2.layers import SynthesisLayer, ToRGB
from squeezespan.randomness import StepRandom

__all__ = ["GroupedStyleGAN2", "grouped_modulated_conv"]


def grouped_modulated_conv(
    x: Tensor, weight: Tensor, style: Tensor, *, demodulate: bool = True, up: bool = False
) -> Tensor:
    """Convolve every image with kernels of its own.

    Args:
        x: float32 [B, C_in, H, W].
        weight: float32 [C_out, C_in, k, k].
        style: float32 [B, C_in], the scale of the input channels.
        demodulate: bring every kernel to unit norm.
        up: transposed convolution of stride 2.

    Returns:
        float32 [B, C_out, H', W'].
    """
    batch, c_in, height, width = x.shape
    c_out, _, k, _ = weight.shape
    kernels = weight[None] * style[:, None, :, None, None]
    if demodulate:
        norm = (kernels.square().sum(dim=(2, 3, 4)) + 1e-8).rsqrt()
        kernels = kernels * norm[:, :, None, None, None]
    folded = x.reshape(1, batch * c_in, height, width)
    if up:
        kernels = kernels.transpose(1, 2).reshape(batch * c_in, c_out, k, k)
        y = F.conv_transpose2d(folded, kernels, stride=2, groups=batch)
    else:
        kernels = kernels.reshape(batch * c_out, c_in, k, k)
        y = F.conv2d(folded, kernels, padding=k // 2, groups=batch)
    return y.reshape(batch, c_out, *y.shape[2:])


class GroupedStyleGAN2:
    """Synthesises with the weights of one of our generators, in float32 and contiguous.

    Args:
        generator: unconditional, of the `skip` architecture, without a clamp; not changed.
    """

    def __init__(self, generator: StyleGAN2Generator) -> None:
        config = generator.config
        if config.architecture != "skip" or config.conv_clamp is not None or config.num_classes:
            raise ValueError("the plain form covers unconditional `skip` networks without a clamp")
        self._generator = generator

    @torch.no_grad()
    def __call__(self, latents: Latents, random: StepRandom) -> Generated:
        """Synthesise with random noise; shapes and ranges as `Generator.forward` gives them."""
        ws = self._generator.map(latents)
        x: Tensor | None = None
        image: Tensor | None = None
        features: dict[str, Tensor] = {}
        row = 0
        for block in self._generator.synthesis.blocks():
            if x is None:
                x = block.const.expand(len(ws), -1, -1, -1)
            else:
                x = self._layer(block.conv0, x, ws[:, row], random)
                row += 1
            x = self._layer(block.conv1, x, ws[:, row], random)
            row += 1
            rgb = self._to_rgb(block.torgb, x, ws[:, row])
            image = rgb if image is None else self._upsample(block, image) + rgb
            features[f"b{block.resolution}"] = x
        assert image is not None
        return Generated(image, features, ws)

    def _layer(self, layer: SynthesisLayer, x: Tensor, w: Tensor, random: StepRandom) -> Tensor:
        x = grouped_modulated_conv(x, layer.weight, layer.affine(w), up=layer.up)
        if layer.up:
            channels = x.shape[1]
            fir = (layer.resample_filter * 4).expand(channels, 1, 4, 4)
            x = F.conv2d(x, fir, padding=1, groups=channels)
        noise = random.normal(len(x), 1, layer.resolution, layer.resolution)
        x = x + noise * layer.noise_strength
        x = x + layer.bias[None, :, None, None]
        return F.leaky_relu(x, 0.2) * math.sqrt(2)

    def _to_rgb(self, layer: ToRGB, x: Tensor, w: Tensor) -> Tensor:
        style = layer.affine(w) * layer.weight_gain
        rgb = grouped_modulated_conv(x, layer.weight, style, demodulate=False)
        return rgb + layer.bias[None, :, None, None]

    def _upsample(self, block: SynthesisBlock, image: Tensor) -> Tensor:
        channels = image.shape[1]
        fir = (block.resample_filter * 4).expand(channels, 1, 4, 4)
        return F.conv_transpose2d(image, fir, stride=2, padding=1, groups=channels)
