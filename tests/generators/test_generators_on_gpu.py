"""Every family on a GPU: one that is pretended, and a real one where there is one."""

from typing import Literal

import pytest
import torch
from checkpoint_files.networks import FAMILIES, make_discriminator, make_network
from fake_gpu import FAKE_GPU, FakeRandom, FakeTensorMode, move_to_fake_gpu

from squeezespan.generators.blocks import pool_features
from squeezespan.randomness import StepRandom

# Without a driver torch says so wherever autocast is entered.
pytestmark = pytest.mark.filterwarnings("ignore:CUDA is not available")


@pytest.mark.parametrize("noise", ["const", "random", "none"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("family", FAMILIES)
def test_nothing_strays_from_the_device(
    family: str, dtype: torch.dtype, noise: Literal["const", "random", "none"]
) -> None:
    generator = make_network(family)
    truncation = 0.7 if family.startswith("stylegan") else 1.0
    with FakeTensorMode(allow_non_fake_inputs=True):
        move_to_fake_gpu(generator)
        generator.set_compute_dtype(dtype)
        random = FakeRandom()
        latents = generator.sample_latents(3, random)
        generated = generator(latents, truncation=truncation, noise=noise, random=random)
        pooled = pool_features(generated.features)
    tensors = [generated.images, *generated.features.values(), *pooled.values()]
    assert {tensor.device for tensor in tensors} == {FAKE_GPU}
    assert generated.images.dtype == torch.float32


def test_neither_does_a_discriminator() -> None:
    discriminator = make_discriminator()
    with FakeTensorMode(allow_non_fake_inputs=True):
        move_to_fake_gpu(discriminator)
        judged = discriminator(torch.empty(4, 3, 8, 8, device=FAKE_GPU))
    tensors = [judged.logits, *judged.features.values()]
    assert {tensor.device for tensor in tensors} == {FAKE_GPU}


def test_the_pretended_gpu_refuses_a_stray_tensor() -> None:
    generator = make_network("dcgan")
    with FakeTensorMode(allow_non_fake_inputs=True):
        move_to_fake_gpu(generator)
        latents = generator.sample_latents(3, FakeRandom()).to("cpu")
        with pytest.raises(RuntimeError, match=r"same device|two different devices"):
            generator(latents)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("family", FAMILIES)
def test_a_gpu_gives_the_images_and_features_of_the_cpu(
    family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    generator = make_network(family)
    latents = generator.sample_latents(3, StepRandom(0))
    expected = generator(latents, noise="const")
    found = generator.cuda()(latents.to("cuda"), noise="const")
    torch.testing.assert_close(found.images.cpu(), expected.images, rtol=1e-4, atol=1e-4)
    for name, feature in expected.features.items():
        torch.testing.assert_close(found.features[name].cpu(), feature, rtol=1e-4, atol=1e-4)
