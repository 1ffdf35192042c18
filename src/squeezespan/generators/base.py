"""What every generator family offers: latents, images and block features by one rule.

Block features: consecutive layers are grouped by output resolution and the last feature map of
each resolution is taken, named `b4`, `b8`, ... from coarse to fine (Section 3 of the paper).
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Literal, NamedTuple, Self, get_args

import torch
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.class_shares import draw_classes
from squeezespan.randomness import StepRandom

__all__ = [
    "Generated",
    "Generator",
    "GeneratorInfo",
    "Latents",
    "NoiseMode",
    "as_rgb",
    "check_labels",
    "check_noise",
]

NoiseMode = Literal["const", "random", "none"]


class Latents(NamedTuple):
    """What a generator starts from."""

    z: Tensor
    """Standard normal, float32 [B, z_dim]."""
    labels: Tensor | None
    """Class indices, int64 [B]; None for an unconditional generator."""

    def slice(self, start: int, stop: int) -> "Latents":
        """Rows `start` to `stop`."""
        return Latents(self.z[start:stop], None if self.labels is None else self.labels[start:stop])

    def nearby(self, deviation: float, random: StepRandom) -> "Latents":
        """Others of the same classes, each z with normal noise of this standard deviation added.

        Source: GenRep (Jahanian et al., arXiv 2106.05258), whose noise is truncated besides.
        """
        return Latents(self.z + deviation * random.normal(*self.z.shape), self.labels)

    def to(self, device: torch.device | str) -> "Latents":
        """The same on `device`."""
        return Latents(self.z.to(device), None if self.labels is None else self.labels.to(device))


class Generated(NamedTuple):
    """What a generator gives."""

    images: Tensor
    """float32 [B, channels, R, R], nominally in [-1, 1], not clamped."""
    features: dict[str, Tensor]
    """Block name to feature map [B, C, r, r], coarse to fine; dtype as computed."""
    w: Tensor
    """The latent that the synthesis sees, float32 [B, num_ws, w_dim]; num_ws is 1 where there
    is no mapping network, and `w` is then `z`."""


@dataclass(frozen=True)
class GeneratorInfo:
    """Sizes of a generator, known without running it."""

    family: str
    resolution: int
    channels: int
    z_dim: int
    w_dim: int
    num_ws: int
    num_classes: int
    """0 for an unconditional generator."""
    block_channels: dict[str, int]
    """Block name to number of feature channels, coarse to fine."""


class Generator(nn.Module, ABC):
    """A generator of images that shows its block features."""

    has_w: ClassVar[bool] = False
    """Whether a mapping network makes a w of its own for every layer, from which `synthesise`
    starts."""
    class_shares: tuple[float, ...] | None = None
    """How often each class occurs in the images that a conditional generator was trained on, and
    is drawn; None draws all equally often."""

    @property
    @abstractmethod
    def info(self) -> GeneratorInfo:
        """Sizes of this generator."""

    @abstractmethod
    def forward(
        self,
        latents: Latents,
        *,
        truncation: float = 1.0,
        noise: NoiseMode = "const",
        random: StepRandom | None = None,
    ) -> Generated:
        """Synthesise images and block features.

        Args:
            latents: as `sample_latents` gives them.
            truncation: pulls `w` towards its average; 1 leaves it alone.
            noise: per-pixel noise of families that have it.
            random: draws the noise when `noise` is "random".
        """

    def synthesise(
        self, ws: Tensor, *, noise: NoiseMode = "const", random: StepRandom | None = None
    ) -> Generated:
        """Synthesise from w of every layer; gradients reach `ws`.

        Args:
            ws: float32 [B, num_ws, w_dim].
            noise: as for `forward`.
            random: as for `forward`.

        Raises:
            UserError: a family without such a w (`has_w`).
        """
        raise UserError(
            f"a generator of the family {self.info.family} has no w of every layer to synthesise "
            "from"
        )

    def freeze(self) -> Self:
        """Put it in eval mode and fix its weights.

        What follows from the weights alone may be kept from call to call after this. Thawed by
        `requires_grad_(True)`.
        """
        return self.eval().requires_grad_(False)

    def set_compute_dtype(self, dtype: torch.dtype) -> None:
        """Compute in `dtype` where that is safe; parameters and `w` stay float32.

        A family without a half-precision form goes on in float32.
        """

    @property
    def device(self) -> torch.device:
        """Where it computes: that of its first parameter or buffer, the CPU without any."""
        first = next(chain(self.parameters(), self.buffers()), None)
        return torch.device("cpu") if first is None else first.device

    def labels_of(self, latents: Latents) -> Tensor | None:
        """Give the class indices [B], None for an unconditional generator.

        Raises:
            UserError: a conditional generator without labels, or an unconditional one with them;
                as `check_labels`.
        """
        check_labels("generator", self.info.num_classes, latents.labels, len(latents.z))
        return latents.labels

    def sample_latents(
        self, n: int, random: StepRandom, labels: Tensor | Sequence[int] | int | None = None
    ) -> Latents:
        """Draw latents for `n` images of this process.

        Args:
            n: number of images on this process.
            random: source of the draws.
            labels: class indices [n] or one class for all; if None, a conditional generator's are
                drawn as often as `class_shares` says.

        Raises:
            UserError: labels for an unconditional generator, or a class that does not exist.
        """
        z = random.normal(n, self.info.z_dim)
        num_classes = self.info.num_classes
        if labels is None:
            return Latents(z, self._draw_classes(n, random) if num_classes else None)
        if not num_classes:
            raise UserError("this generator is unconditional and takes no class labels")
        try:
            chosen = torch.as_tensor(labels, device=z.device)
        except (TypeError, ValueError, RuntimeError, OverflowError) as error:
            raise UserError(
                f"labels must be one class or {n} whole numbers from 0 to {num_classes - 1}"
            ) from error
        if chosen.is_floating_point() or chosen.shape not in ((), (n,)):
            raise UserError(
                f"labels must be one class or {n} whole numbers, not {chosen.dtype} of shape "
                f"{tuple(chosen.shape)}"
            )
        labels = chosen.long().expand(n).clone()
        _check_range("generator", num_classes, labels)
        return Latents(z, labels)

    def _draw_classes(self, n: int, random: StepRandom) -> Tensor:
        if self.class_shares is None:
            return random.integers(n, high=self.info.num_classes)
        return draw_classes(self.class_shares, n, random)


def check_labels(kind: str, num_classes: int, labels: Tensor | None, batch: int) -> None:
    """Refuse labels that a network has no use for.

    Classes that don't exist are looked for on the CPU only: a GPU would have to be waited for.

    Args:
        kind: what the network is called, such as "generator".
        num_classes: of the network, 0 for an unconditional one.
        labels: class indices, int64 [batch], or None.
        batch: number of images.

    Raises:
        UserError: labels are missing, surplus, of another number or type, or out of range.
    """
    if num_classes and labels is None:
        raise UserError(f"this {kind} is class-conditional; give class labels")
    if labels is None:
        return
    if not num_classes:
        raise UserError(f"this {kind} is unconditional and takes no class labels")
    if labels.shape != (batch,) or labels.is_floating_point():
        raise UserError(
            f"{batch} images need {batch} whole numbers as class labels, not {labels.dtype} of "
            f"shape {tuple(labels.shape)}"
        )
    if labels.device.type == "cpu":
        _check_range(kind, num_classes, labels)


def as_rgb(images: Tensor) -> Tensor:
    """Give images [B, C, R, R] of one channel three equal ones, and others as they are."""
    return images.repeat(1, 3, 1, 1) if images.shape[1] == 1 else images


def check_noise(noise: str) -> None:
    """Refuse a noise mode that does not exist.

    Raises:
        UserError: it is none of const, random, none.
    """
    if noise not in get_args(NoiseMode):
        raise UserError(f"noise is {noise!r}, but must be one of {', '.join(get_args(NoiseMode))}")


def _check_range(kind: str, num_classes: int, labels: Tensor) -> None:
    if not len(labels):
        return
    for label in (int(labels.min()), int(labels.max())):
        if not 0 <= label < num_classes:
            raise UserError(f"there is no class {label}; this {kind}'s are 0 to {num_classes - 1}")
