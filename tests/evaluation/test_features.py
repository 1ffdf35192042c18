"""Features of a set of images."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from squeezespan.data.images import ResidentImages
from squeezespan.evaluation.features import compute_features, extract_features, frozen


class Watched(nn.Module):
    """Mean colours, and what was seen of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(3))
        self.inner = nn.Dropout()
        self.calls: list[dict[str, Any]] = []

    def forward(self, images: Tensor) -> Tensor:
        pooled = images.float().mean((2, 3)) @ self.weight
        self.calls.append(
            {
                "count": len(images),
                "training": self.training or self.inner.training,
                "dtype": pooled.dtype,
                "channels_last": images.is_contiguous(memory_format=torch.channels_last),
                "gradients": torch.is_grad_enabled(),
            }
        )
        return pooled


def images(count: int) -> ResidentImages:
    random = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (count, 3, 8, 8), generator=random, dtype=torch.uint8)
    return ResidentImages("test:noise", [], None, pixels)


@pytest.mark.parametrize(
    ("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)]
)
def test_features_come_in_the_sets_order_in_eval_mode_without_gradients(
    precision: str, dtype: torch.dtype
) -> None:
    backbone = Watched().train()
    backbone.inner.eval()
    features = extract_features(
        backbone, images(7), batch_size=3, precision=precision, progress=False
    )
    expected = images(7).batch(torch.arange(7)).float().mean((2, 3))
    tolerance = 1e-6 if precision == "fp32" else 1e-2
    torch.testing.assert_close(features, expected, rtol=tolerance, atol=0)
    assert features.dtype == torch.float32
    assert [call["count"] for call in backbone.calls] == [3, 3, 1]
    for call in backbone.calls:
        assert call == {
            "count": call["count"],
            "training": False,
            "dtype": dtype,
            "channels_last": True,
            "gradients": False,
        }
    assert (backbone.training, backbone.inner.training) == (True, False)


def test_512_images_are_computed_at_a_time_and_progress_is_shown(
    capsys: pytest.CaptureFixture[str],
) -> None:
    backbone = Watched()
    extract_features(backbone, images(513))
    assert [call["count"] for call in backbone.calls] == [512, 1]
    assert capsys.readouterr().err.startswith("features: 513/513 images (100%)")
    extract_features(backbone, images(5), progress=False)
    assert capsys.readouterr().err == ""


def test_a_mode_is_given_back_after_an_error() -> None:
    backbone = Watched().train()
    with pytest.raises(ZeroDivisionError):
        _fail_inside(backbone)
    assert backbone.training
    assert backbone.inner.training


def _fail_inside(backbone: nn.Module) -> None:
    with frozen(backbone):
        assert not backbone.training
        raise ZeroDivisionError


def test_half_precision_is_float16_where_it_is_asked_for() -> None:
    backbone = Watched()
    batch = torch.ones(2, 3, 4, 4)
    assert compute_features(backbone, batch, "fp16").dtype == torch.float32
    assert backbone.calls[0]["dtype"] == torch.float16
