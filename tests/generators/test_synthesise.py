"""Synthesis from w of every layer, of the families that have it."""

import pytest
import torch
from checkpoint_files.networks import FAMILIES, make_network

from squeezespan.errors import UserError
from squeezespan.randomness import StepRandom

WITH_W = [name for name in FAMILIES if name.startswith("stylegan")]


@pytest.mark.parametrize("name", WITH_W)
def test_it_starts_where_the_mapping_ends(name: str) -> None:
    generator = make_network(name).freeze()
    generated = generator(generator.sample_latents(2, StepRandom(0)))
    ws = generated.w.clone().requires_grad_()
    again = generator.synthesise(ws)
    torch.testing.assert_close(again.images, generated.images)
    (gradient,) = torch.autograd.grad(again.images.square().sum(), ws)
    # Every layer has its own w.
    assert bool(gradient.abs().sum((0, 2)).gt(0).all())
    assert not any(parameter.requires_grad for parameter in generator.parameters())


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in WITH_W])
def test_families_without_a_mapping_refuse_it(name: str) -> None:
    generator = make_network(name)
    assert not generator.has_w
    with pytest.raises(UserError, match="has no w of every layer"):
        generator.synthesise(torch.zeros(1, 1, generator.info.w_dim))
