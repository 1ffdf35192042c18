"""The whole linear probe beside torch's own SGD, and LARS beside solo-learn's, on known features.

Images of one colour look the same whatever the crop and the flip.
"""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from squeezespan.data.images import ResidentImages
from squeezespan.data.order import epoch_order
from squeezespan.evaluation.linear import LinearProbeConfig, train_linear_probe
from squeezespan.randomness import derive_seed

N, CLASSES, EPOCHS, BATCH = 30, 3, 4, 12


class Colours(nn.Module):
    """A backbone whose features are the mean colour, scaled."""

    def forward(self, images: Tensor) -> Tensor:
        return 4 * images.mean((2, 3))


def images() -> ResidentImages:
    labels = torch.arange(N) % CLASSES
    drawn = torch.rand(N, 3, generator=torch.Generator().manual_seed(0))
    colours = (60 + 80 * torch.eye(3)[labels] + 60 * drawn).byte()
    pixels = colours[:, :, None, None].expand(-1, -1, 8, 8).contiguous()
    return ResidentImages("test:colours", ["a", "b", "c"], labels, pixels)


def lars_step(parameter: Tensor, gradient: Tensor, momentum: Tensor, rate: float) -> None:
    """solo-learn's `LARS.step` without weight decay, clipping and exclusions, restated."""
    norms = parameter.norm(), gradient.norm()
    trust = 0.001 * norms[0] / (norms[1] + 1e-8) if norms[0] > 0 and norms[1] > 0 else 1.0
    momentum.mul_(0.9).add_(gradient * trust)
    parameter.sub_(momentum, alpha=rate)


@pytest.mark.parametrize(("optimizer", "base_lr"), [("sgd", 30.0), ("lars", 4000.0)])
def test_the_final_probe_is_that_of_a_plain_loop(optimizer: str, base_lr: float) -> None:
    config = LinearProbeConfig(optimizer, base_lr, batch_size=BATCH, epochs=EPOCHS)  # type: ignore[arg-type]
    data = images()
    assert data.labels is not None
    found = train_linear_probe(Colours(), data, config, classes=CLASSES, seed=3)

    x = 4 * data.batch(torch.arange(N)).float().mean((2, 3)) / 255
    layer = nn.Linear(3, CLASSES)
    first = torch.Generator().manual_seed(derive_seed(3, "linear-probe-init"))
    nn.init.normal_(layer.weight, std=0.01, generator=first)
    nn.init.zeros_(layer.bias)
    start = layer.weight.detach().clone()
    sgd = torch.optim.SGD(layer.parameters(), lr=1.0, momentum=0.9)
    momenta = [torch.zeros_like(p) for p in layer.parameters()]
    for epoch in range(EPOCHS):
        rate = base_lr * BATCH / 256 * 0.5 * (1 + math.cos(math.pi * epoch / EPOCHS))
        order = epoch_order(N, epoch, derive_seed(3, "linear-probe"))
        for rows in torch.split(order, BATCH):
            layer.zero_grad()
            F.cross_entropy(layer(x[rows]), data.labels[rows]).backward()  # type: ignore[no-untyped-call]
            if optimizer == "sgd":
                sgd.param_groups[0]["lr"] = rate
                sgd.step()
                continue
            with torch.no_grad():
                for parameter, momentum in zip(layer.parameters(), momenta, strict=True):
                    assert parameter.grad is not None
                    lars_step(parameter, parameter.grad, momentum, rate)
    torch.testing.assert_close(found.weight, layer.weight.detach(), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(found.bias, layer.bias.detach(), rtol=1e-4, atol=1e-5)
    assert torch.equal(found(x).argmax(1), layer(x).argmax(1))
    assert (found.weight - start).norm() > 0.5 * start.norm()
