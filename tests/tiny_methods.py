"""Small methods and batches that the tests of methods share."""

from typing import Any

import torch

from squeezespan.config import DistillConfig, ImagesConfig, MethodConfig, StudentConfig
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.registry import build_method

__all__ = ["REAL_WIDTHS", "WIDTHS", "make_batch", "make_method", "measure", "shake"]

WIDTHS = {"b4": 6, "b8": 4}
REAL_WIDTHS = {"b8": 3, "fc": 2}
_SIDE = 8


def make_method(
    arch: str = "resnet10-narrow", stem: str = "cifar", judged: bool = False, **settings: Any
) -> Method:
    """Build a narrow method on 8x8 images; equal settings give equal weights.

    With `judged`, a discriminator teaches, too.
    """
    learnt = settings.get("target", "squeeze") == "squeeze"
    sizes = {
        "embed_dim": 16 if learnt else None,
        "hidden_dim": 12,
        "projector_layers": 2,
        "predictor_dim": 4,
    }
    config = DistillConfig(
        method=MethodConfig(**{**sizes, **settings}),
        student=StudentConfig(arch, stem),  # type: ignore[arg-type]
        images=ImagesConfig(resolution=_SIDE),
    )
    torch.manual_seed(0)
    widths = WIDTHS if config.method.alpha > 0 else None
    method = build_method(config, widths, real_widths=REAL_WIDTHS if judged else None)
    for target, source in (
        (method.standardized, make_batch(synthetic=50).source),
        (method.real_standardized, make_batch(real=50).real_source),
    ):
        if target is not None:
            assert source is not None
            target.measure([source])
    return method


def make_batch(
    real: int = 8,
    synthetic: int = 8,
    side: int = _SIDE,
    dtype: torch.dtype = torch.float32,
    views: int = 2,
) -> Batch:
    """Draw a batch with some views of each stream; streams differ in mean and scale."""
    random = torch.Generator().manual_seed(1)

    def draw(n: int, *shape: int) -> torch.Tensor:
        return torch.randn(n, *shape, generator=random, dtype=dtype)

    image = (3, side, side)
    return Batch(
        real_views=tuple(draw(real, *image) for _ in range(views)),
        synthetic_views=tuple(0.5 + 2 * draw(synthetic, *image) for _ in range(views)),
        source={name: draw(synthetic, width) for name, width in WIDTHS.items()},
        real_source={name: 3 + 2 * draw(real, width) for name, width in REAL_WIDTHS.items()},
    )


def measure(method: Method, batch: Batch) -> dict[str, float]:
    """Run one step's losses and give them as numbers."""
    return {name: float(loss.detach()) for name, loss in method(batch).items()}


def shake(method: Method) -> None:
    """Move every parameter, so that none of them is at a zero that hides its gradient's path."""
    random = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for parameter in method.parameters():
            noise = torch.randn(parameter.shape, generator=random, dtype=torch.float64)
            parameter.add_(noise.to(parameter.dtype), alpha=0.1)
