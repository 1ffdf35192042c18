"""What both steps have in common: sizes, generator, student, losses, optimizer, images."""

from dataclasses import dataclass

import torch
from torch import Tensor

from squeezespan.config import DistillConfig, ImagesConfig, MethodConfig, StudentConfig, TrainConfig
from squeezespan.data.normalize import Normalization
from squeezespan.distillation.stream import source_widths
from squeezespan.generators.stylegan2 import StyleGAN2Config, StyleGAN2Generator
from squeezespan.methods.base import Method
from squeezespan.methods.registry import build_method

__all__ = ["NORMALIZATION", "PARTS", "Setting"]

PARTS = ("generator", "augmentation", "student", "optimizer")
"""Parts of a step in its order. `augmentation` is all of making a batch but for the generator,
`student` the forward and backward pass of student, squeeze module and losses."""

NORMALIZATION = Normalization((0.491, 0.482, 0.447), (0.247, 0.243, 0.262))


@dataclass(frozen=True)
class Setting:
    """Sizes of the step, as `cfg=cifar` of StyleGAN2-ADA and the paper's Table 2 have them."""

    batch_size: int = 64
    """Half of it synthetic, half real images with two views each."""
    width: int = 512
    """Channels of every block of the generator, and of z and w."""
    arch: str = "resnet18"
    embed_dim: int = 2048
    """Width of the embeddings and of the squeeze module."""
    real_images: int = 4096
    workers: int | None = None
    """Of the plain step's data loader; None is one a core."""
    device: str = "cpu"
    seed: int = 0

    def config(self, precision: str) -> DistillConfig:
        """Settings of a run of ours."""
        return DistillConfig(
            train=TrainConfig(
                batch_size=self.batch_size,
                seed=self.seed,
                device=self.device,
                precision=precision,  # type: ignore[arg-type]
            ),
            method=MethodConfig(embed_dim=self.embed_dim, hidden_dim=self.embed_dim),
            student=StudentConfig(arch=self.arch),
            images=ImagesConfig(resolution=32),
        )

    def generator(self) -> StyleGAN2Generator:
        """A frozen 32x32 generator with random weights, float32."""
        torch.manual_seed(self.seed)
        generator = StyleGAN2Generator(
            StyleGAN2Config(
                z_dim=self.width,
                w_dim=self.width,
                channel_base=64 * self.width,
                channel_max=self.width,
                mapping_layers=2,
            )
        )
        for name, parameter in generator.named_parameters():
            # It begins at zero, where noise would be added in vain.
            if name.endswith("noise_strength"):
                torch.nn.init.constant_(parameter, 0.1)
        return generator.freeze().to(self.device)

    def method(self, generator: StyleGAN2Generator) -> Method:
        """Student, projector, squeeze module and losses with random weights, float32."""
        config = self.config("fp32")
        torch.manual_seed(self.seed + 1)
        return build_method(config, source_widths(config, generator)).to(self.device).train()

    def pixels(self) -> Tensor:
        """Real images, uint8 [real_images, 3, 32, 32]; speed does not depend on what they show."""
        random = torch.Generator().manual_seed(self.seed + 2)
        shape = (self.real_images, 3, 32, 32)
        return torch.randint(0, 256, shape, dtype=torch.uint8, generator=random)
