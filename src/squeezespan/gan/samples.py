"""Grids of generated images as PNG."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from squeezespan.errors import UserError
from squeezespan.files import atomic_write
from squeezespan.generators.base import Generator, NoiseMode
from squeezespan.generators.batches import usual_batch
from squeezespan.randomness import StepRandom

__all__ = ["check_finite", "image_grid", "sample_images", "save_grid", "to_uint8"]


def check_finite(images: Tensor) -> None:
    """Refuse images that no picture can be made of.

    Raises:
        UserError: a value is not finite.
    """
    if not bool(images.isfinite().all()):
        raise UserError(
            "the generator makes images that are not finite numbers; its file is damaged, its "
            "training broke down, or it is not what it was taken for"
        )


def to_uint8(images: Tensor) -> Tensor:
    """Turn a generator's images in [-1, 1] into uint8 [B, C, H, W]."""
    return (images.float() * 127.5 + 128).clamp(0, 255).to(torch.uint8)


@torch.no_grad()
def sample_images(
    generator: Generator,
    n: int,
    *,
    seed: int = 0,
    truncation: float = 1.0,
    labels: Tensor | Sequence[int] | int | None = None,
    noise: NoiseMode = "const",
    batch_size: int | None = None,
) -> Tensor:
    """Generate `n` images, uint8 [n, C, R, R] on the CPU.

    Equal seeds give equal images; with random noise only for equal batch sizes.

    Args:
        generator: in eval mode, on any device, such as of `load_generator`.
        n: number of images.
        seed: of the latents and the noise.
        truncation: pulls w towards its average; 1 leaves it alone.
        labels: class indices [n], one class for all, or None for random ones.
        noise: per-pixel noise of families that have it.
        batch_size: images at a time; as many as memory usually holds if None.

    Raises:
        UserError: labels that the generator doesn't have, or images that are not finite.
    """
    device = generator.device
    latents = generator.sample_latents(n, StepRandom(seed, stream="samples"), labels)
    at_a_time = batch_size or usual_batch(generator.info)
    done = []
    for start in range(0, n, at_a_time):
        part = latents.slice(start, start + at_a_time).to(device)
        random = StepRandom(seed, start, stream="noise", device=device)
        made = generator(part, truncation=truncation, noise=noise, random=random)
        check_finite(made.images)
        done.append(to_uint8(made.images).cpu())
    return torch.cat(done)


def image_grid(images: Tensor, columns: int | None = None) -> Image.Image:
    """Lay uint8 images [N, C, H, W] out row by row; `columns` defaults to a square."""
    n, channels, height, width = images.shape
    columns = min(columns or math.ceil(math.sqrt(n)), n)
    rows = math.ceil(n / columns)
    padded = torch.zeros(rows * columns, channels, height, width, dtype=torch.uint8)
    padded[:n] = images
    grid = padded.view(rows, columns, channels, height, width).permute(0, 3, 1, 4, 2)
    pixels = grid.reshape(rows * height, columns * width, channels).numpy()
    return Image.fromarray(pixels[:, :, 0] if channels == 1 else pixels)


def save_grid(path: Path, images: Tensor, columns: int | None = None) -> None:
    """Write a grid of uint8 images [N, C, H, W] as PNG, atomically."""
    buffer = io.BytesIO()
    image_grid(images, columns).save(buffer, format="PNG")
    atomic_write(path, lambda temporary: temporary.write_bytes(buffer.getvalue()))
