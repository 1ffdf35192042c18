"""Convolutions of small maps as matrix products."""

import pytest
import torch
from torch import Tensor, nn

from squeezespan.models import small_maps
from squeezespan.models.backbones import build_backbone
from squeezespan.models.small_maps import SmallMapConv2d, speed_up_small_maps


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let few channels on any CPU take the form."""
    monkeypatch.setattr(small_maps, "_FEWEST_CHANNELS", 1)
    monkeypatch.setattr(small_maps, "has_plain_bf16", lambda: True)


def both_ways(conv: nn.Module, x: Tensor, *, autocast: bool) -> list[Tensor]:
    x = x.clone().requires_grad_()
    conv.zero_grad()
    with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
        y = conv(x)
    (y.float() * torch.linspace(-1, 1, y.numel()).view(y.shape)).sum().backward()
    (weight,) = conv.parameters()
    assert x.grad is not None
    assert weight.grad is not None
    return [y.detach().float(), x.grad, weight.grad]


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("stride", "size"), [(1, (4, 4)), (1, (1, 3)), (2, (8, 6)), (2, (2, 2))])
def test_it_is_the_convolution(stride: int, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    conv = SmallMapConv2d(6, 10, 3, stride=stride, padding=1, bias=False)
    x = torch.randn(5, 6, *size)
    assert conv._pays(x.bfloat16()) is False
    exact = both_ways(conv, x, autocast=False)
    ours = both_ways(conv, x, autocast=True)
    for found, expected in zip(ours, exact, strict=True):
        assert found.shape == expected.shape
        assert float((found - expected).abs().max() / expected.abs().max()) < 0.02
        assert not torch.equal(found, expected)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(("stride", "size"), [(1, (5, 5)), (2, (3, 4)), (2, (10, 10))])
def test_other_maps_go_through_torch(stride: int, size: tuple[int, int]) -> None:
    conv = SmallMapConv2d(6, 10, 3, stride=stride, padding=1, bias=False)
    with torch.autocast("cpu", torch.bfloat16):
        assert not conv._pays(torch.randn(2, 6, *size))
        assert conv(torch.randn(2, 6, *size)).shape[1] == 10


def test_a_network_keeps_names_weights_and_what_it_computes() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=1, groups=2, bias=False), nn.Conv2d(8, 8, 3)),
        nn.Conv2d(8, 4, 3, stride=2, padding=1, bias=False),
    )
    x = torch.randn(2, 3, 8, 8)
    before, names = network(x), list(network.state_dict())
    speed_up_small_maps(network)
    kinds = [type(module) for module in network.modules() if isinstance(module, nn.Conv2d)]
    assert kinds == [SmallMapConv2d, nn.Conv2d, nn.Conv2d, SmallMapConv2d]
    assert list(network.state_dict()) == names
    assert torch.equal(network(x), before)


def test_students_have_them() -> None:
    backbone = build_backbone("resnet18")
    assert isinstance(backbone.get_submodule("layer4.1.conv2"), SmallMapConv2d)
