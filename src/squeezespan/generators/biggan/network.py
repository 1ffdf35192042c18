"""BigGAN generator as DiffAugment trains it on CIFAR (Brock et al. 2019, Zhao et al. 2020).

Each residual block doubles the size: class-conditional norm, ReLU, nearest upsampling and a
convolution, the same again without upsampling, and a 1x1 shortcut. Block features are the sums
that leave the blocks, before the final norm.
"""

import torch
from torch import Tensor, nn

from squeezespan.generators.base import Generated, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.biggan.blocks import (
    BigGANConfig,
    OutputNorm,
    ResidualBlock,
    SelfAttention,
)
from squeezespan.generators.convolutional import ConvolutionalGenerator
from squeezespan.generators.spectral_norm import PowerIteratedConv2d, PowerIteratedLinear
from squeezespan.randomness import StepRandom

__all__ = ["BigGANConfig", "BigGANGenerator"]


class BigGANGenerator(ConvolutionalGenerator):
    """Class-conditional BigGAN generator.

    Spectral norm runs its power iteration on every forward pass from the stored vectors, in eval
    mode too, as the reference does; nothing is stored, so equal latents give equal images.
    `w` is z. Truncation scales z, which is not the resampling of the paper.

    Args:
        config: the sizes; `config_from_state` reads them off published weights.
    """

    def __init__(self, config: BigGANConfig) -> None:
        super().__init__()
        self.config = config
        iterations = config.power_iterations
        if config.shared_dim:
            self.shared = nn.Embedding(config.num_classes, config.shared_dim)
        first = config.widths[0] * config.bottom_width**2
        self.linear = PowerIteratedLinear(config.z_chunk, first, iterations=iterations)
        self.blocks = nn.ModuleList()
        for index in range(config.num_blocks):
            in_channels, out_channels = config.widths[index : index + 2]
            stage: list[nn.Module] = [ResidualBlock(config, in_channels, out_channels)]
            if index in config.attention_blocks:
                stage.append(SelfAttention(config, out_channels))
            self.blocks.append(nn.ModuleList(stage))
        last = config.widths[-1]
        self.output_layer = nn.Sequential(
            OutputNorm(config, last),
            nn.ReLU(),
            PowerIteratedConv2d(last, config.channels, 3, iterations=iterations),
        )

    @property
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""
        config = self.config
        sizes = [config.bottom_width * 2**level for level in range(len(config.widths))]
        return GeneratorInfo(
            family="biggan",
            resolution=sizes[-1],
            channels=config.channels,
            z_dim=config.z_dim,
            w_dim=config.z_dim,
            num_ws=1,
            num_classes=config.num_classes,
            block_channels={f"b{r}": width for r, width in zip(sizes, config.widths, strict=True)},
        )

    def _conditions(self, z: Tensor, labels: Tensor) -> list[Tensor]:
        """What the norms of each block see."""
        if not self.config.shared_dim:
            return [labels] * self.config.num_blocks
        embedding: Tensor = self.shared(labels)
        if not self.config.hierarchical:
            return [embedding] * self.config.num_blocks
        chunks = torch.split(z, self.config.z_chunk, dim=1)[1:]
        return [torch.cat([embedding, chunk], dim=1) for chunk in chunks]

    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features; see `Generator.forward`. There is no noise."""
        labels = self.labels_of(latents)
        assert labels is not None
        z = latents.z.float() * truncation
        conditions = self._conditions(z, labels)
        side = self.config.bottom_width
        with self.precision(z.device):
            x: Tensor = self.linear(z[:, : self.config.z_chunk])
            x = x.reshape(len(x), -1, side, side).contiguous(memory_format=torch.channels_last)
            features = {f"b{side}": x}
            for stage, condition in zip(self.blocks, conditions, strict=True):
                assert isinstance(stage, nn.ModuleList)
                x = stage[0](x, condition)
                for attention in stage[1:]:
                    x = attention(x)
                features[f"b{x.shape[-1]}"] = x
            images = torch.tanh(self.output_layer(x).float())
        return Generated(images, features, z[:, None])
