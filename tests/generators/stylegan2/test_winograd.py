"""Winograd's form of the 3x3 convolution, and when frozen layers use and keep it."""

import pytest
import torch
from torch import Tensor

from squeezespan.generators.stylegan2 import layers as stylegan2_layers
from squeezespan.generators.stylegan2 import winograd
from squeezespan.generators.stylegan2.layers import SynthesisLayer
from squeezespan.generators.stylegan2.winograd import winograd_conv, winograd_kernel


@pytest.fixture
def layer(monkeypatch: pytest.MonkeyPatch) -> SynthesisLayer:
    """A frozen layer so small that only this test makes it use the form."""
    monkeypatch.setattr(winograd, "_FEWEST_CHANNELS", 8)
    monkeypatch.setattr(winograd, "has_plain_bf16", lambda: True)
    torch.manual_seed(0)
    layer = SynthesisLayer(8, 16, 4, 8).requires_grad_(False)
    layer.frozen = True
    return layer


def run(layer: SynthesisLayer, dtype: torch.dtype) -> Tensor:
    torch.manual_seed(1)
    x, w = torch.randn(6, 8, 8, 8), torch.randn(6, 4)
    result: Tensor = layer(x.to(dtype), w, "none", None)
    return result.float()


@pytest.mark.parametrize("batch", [1, 3, 4, 6])
@pytest.mark.parametrize("size", [(4, 4), (8, 6)])
def test_it_is_the_convolution(batch: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    x, weight = torch.randn(batch, 5, *size), torch.randn(7, 5, 3, 3)
    ours = winograd_conv(x, winograd_kernel(weight, torch.float32))
    expected = torch.conv2d(x, weight, padding=1)
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)
    assert ours.is_contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def test_a_frozen_layer_uses_it_in_bf16_and_comes_close(
    layer: SynthesisLayer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def counted(x: Tensor, kernel: Tensor) -> Tensor:
        calls.append(len(x))
        return winograd_conv(x, kernel)

    monkeypatch.setattr(stylegan2_layers, "winograd_conv", counted)
    exact, rounded = run(layer, torch.float32), run(layer, torch.bfloat16)
    assert calls == [6]
    assert float((rounded - exact).std() / exact.std()) < 0.02


def test_with_gradients_it_is_the_direct_form(layer: SynthesisLayer) -> None:
    layer.affine.requires_grad_(True)
    run(layer, torch.bfloat16).sum().backward()  # type: ignore[no-untyped-call]
    assert layer.affine.weight.grad is not None
    assert float(layer.affine.weight.grad.abs().max()) > 0


@torch.no_grad()
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_kept_kernel_follows_its_weight(layer: SynthesisLayer, dtype: torch.dtype) -> None:
    before = run(layer, dtype)
    layer.load_state_dict({**layer.state_dict(), "weight": layer.weight + 1})
    after = run(layer, dtype)
    assert float((after - before).abs().max()) > 1
    layer.frozen = False
    torch.testing.assert_close(after, run(layer, dtype), rtol=0.05, atol=0.05)


@torch.no_grad()
def test_a_layer_in_training_keeps_nothing(layer: SynthesisLayer) -> None:
    layer.frozen = False
    layer.requires_grad_(True)
    optimizer = torch.optim.Adam(layer.parameters(), fused=True)
    before = run(layer, torch.float32)
    layer.weight.grad = torch.ones_like(layer.weight)
    optimizer.step()
    assert not torch.equal(before, run(layer, torch.float32))
