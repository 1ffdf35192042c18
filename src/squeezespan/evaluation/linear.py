"""The paper's linear probe: one linear layer on a frozen backbone, trained on augmented images."""

import math
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from squeezespan.data.images import ImageSet
from squeezespan.data.order import epoch_order
from squeezespan.data.views import CropAndFlip
from squeezespan.errors import UserError
from squeezespan.evaluation.features import compute_features, frozen
from squeezespan.evaluation.labels import require_labels
from squeezespan.hardware import ResolvedPrecision
from squeezespan.progress import Progress
from squeezespan.randomness import StepRandom, derive_seed

__all__ = ["LinearProbeConfig", "linear_probe_config", "train_linear_probe"]

_CIFAR_SIDE = 32
_MIRRORED = 0.5


@dataclass(frozen=True)
class LinearProbeConfig:
    """Settings of the linear probe; `linear_probe_config` gives the paper's."""

    optimizer: Literal["sgd", "lars"]
    base_lr: float
    """The learning rate is base_lr * batch_size / 256."""
    batch_size: int
    epochs: int = 90
    momentum: float = 0.9
    crop_scale: tuple[float, float] = (0.08, 1.0)
    """Share of the image that a random crop covers."""
    copies: int | None = None
    """None augments anew in every epoch, as the paper does; a number caches the features of that
    many augmented copies of the train set and goes round them, which is much faster."""


def linear_probe_config(
    resolution: int,
    *,
    epochs: int | None = None,
    batch_size: int | None = None,
    copies: int | None = None,
) -> LinearProbeConfig:
    """Give the paper's settings: SGD up to CIFAR's size, LARS (You et al. 2017) above.

    Args:
        resolution: side of the images, pixels.
        epochs: other than 90.
        batch_size: other than the paper's; the learning rate scales with it.
        copies: as in `LinearProbeConfig`.

    Raises:
        UserError: a number below 1.
    """
    for name, value in (("epochs", epochs), ("batch size", batch_size), ("copies", copies)):
        if value is not None and value < 1:
            raise UserError(f"the linear probe's {name} must be at least 1, not {value}")
    if resolution <= _CIFAR_SIDE:
        return LinearProbeConfig("sgd", 30.0, batch_size or 256, epochs or 90, copies=copies)
    return LinearProbeConfig("lars", 0.1, batch_size or 4096, epochs or 90, copies=copies)


def train_linear_probe(
    backbone: nn.Module,
    images: ImageSet,
    config: LinearProbeConfig,
    *,
    classes: int,
    resolution: int | None = None,
    precision: ResolvedPrecision = "fp32",
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> nn.Linear:
    """Train a linear layer on the features of random crops, half of them mirrored.

    Args:
        backbone: on `device`, takes float [B, 3, R, R] in [0, 1]; frozen, run in eval mode.
        images: the labelled train set, as `FoundImages.load_originals` gives it: crops come from
            the images as stored, as in the paper, and not from ones already shrunk.
        config: settings.
        classes: number of classes.
        resolution: side of the crops, R; that of the images if None.
        precision: of the backbone; the layer itself is float32.
        seed: draws the layer's weights, the order and the augmentation.
        device: where the backbone is.

    Returns:
        The layer of the last epoch, from features [B, D] to scores [B, classes].

    Raises:
        UserError: the images have no labels.
    """
    labels = require_labels(images, "train").to(device)
    side = resolution or images.resolution
    views = _Views(backbone, images, config, side, precision=precision, seed=seed, device=device)
    with frozen(backbone):
        views.keep()
        layer = _initial_layer(views.width(), classes, seed).to(device)
        optimizer = _optimizer(layer, config)
        peak = config.base_lr * config.batch_size / 256
        total = config.epochs * len(images)
        with Progress(total, unit="images", description="linear probe") as progress:
            for epoch in range(config.epochs):
                rate = peak * 0.5 * (1 + math.cos(math.pi * epoch / config.epochs))
                for group in optimizer.param_groups:
                    group["lr"] = rate
                order = epoch_order(len(images), epoch, derive_seed(seed, "linear-probe"))
                for step, rows in enumerate(torch.split(order, config.batch_size)):
                    features = views.features(rows, epoch, step)
                    loss = F.cross_entropy(layer(features), labels[rows.to(device)])
                    optimizer.zero_grad()
                    loss.backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
                    progress.update(len(rows))
    return layer.requires_grad_(False)


class _Views:
    """Features of augmented images, computed when asked for or kept from before."""

    def __init__(
        self,
        backbone: nn.Module,
        images: ImageSet,
        config: LinearProbeConfig,
        side: int,
        *,
        precision: ResolvedPrecision,
        seed: int,
        device: torch.device | str,
    ) -> None:
        self._view = CropAndFlip(images, side, config.crop_scale, _MIRRORED, device)
        self._backbone = backbone
        self._images = images
        self._config = config
        self._precision = precision
        self._seed = seed
        self._device = device
        self._kept: list[Tensor] = []

    def width(self) -> int:
        """Number of features."""
        return self._compute(torch.zeros(1, dtype=torch.int64), 0, 0).shape[1]

    def keep(self) -> None:
        """Compute the copies that are to be kept, if any."""
        count = min(self._config.copies or 0, self._config.epochs)
        if not count:
            return
        total = count * len(self._images)
        with Progress(total, unit="views", description="features for the probe") as progress:
            for copy in range(count):
                done = []
                chunks = torch.split(torch.arange(len(self._images)), self._config.batch_size)
                for number, chunk in enumerate(chunks):
                    done.append(self._compute(chunk, copy, number))
                    progress.update(len(chunk))
                self._kept.append(torch.cat(done))

    def features(self, rows: Tensor, epoch: int, step: int) -> Tensor:
        """Give features float32 [B, D] of one view of each of the images at `rows`."""
        if self._config.copies is None:
            return self._compute(rows, epoch, step)
        return self._kept[epoch % self._config.copies][rows.to(self._device)]

    def _compute(self, rows: Tensor, epoch: int, step: int) -> Tensor:
        random = StepRandom(derive_seed(self._seed, epoch), step, stream="linear-probe")
        return compute_features(self._backbone, self._view(rows, random), self._precision)


def _initial_layer(width: int, classes: int, seed: int) -> nn.Linear:
    layer = nn.Linear(width, classes)
    random = torch.Generator().manual_seed(derive_seed(seed, "linear-probe-init"))
    nn.init.normal_(layer.weight, std=0.01, generator=random)
    nn.init.zeros_(layer.bias)
    return layer


def _optimizer(layer: nn.Linear, config: LinearProbeConfig) -> torch.optim.Optimizer:
    if config.optimizer == "sgd":
        return torch.optim.SGD(layer.parameters(), lr=0.0, momentum=config.momentum)
    from timm.optim.lars import Lars

    # `always_adapt`, because timm else leaves out the trust ratio without weight decay.
    return Lars(
        layer.parameters(), lr=0.0, momentum=config.momentum, trust_coeff=0.001, always_adapt=True
    )
