"""Encoding: what its loss is made of, and what it moves."""

from dataclasses import replace

import pytest
import torch
from checkpoint_files.networks import make_network
from tiny_methods import make_batch, measure, shake
from tiny_runs import make_gan

from squeezespan.config import DistillConfig, ImagesConfig, MethodConfig, StudentConfig
from squeezespan.data.crop import resized_crop
from squeezespan.errors import UserError
from squeezespan.generators import load_generator
from squeezespan.generators.base import Generator
from squeezespan.methods.base import Batch, Method
from squeezespan.methods.encoding import Encoding
from squeezespan.methods.registry import build_method
from squeezespan.methods.resynthesis import Resynthesis
from squeezespan.randomness import StepRandom

SIDE = 8


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    sizes = {"resolution": 8, "z_dim": 4, "w_dim": 6, "channel_base": 64, "channel_max": 8}
    return load_generator(make_gan(tmp_path_factory.mktemp("gan") / "g.safetensors", **sizes))


def build(generator: Generator, alpha: float, embed_dim: int | None = None) -> Method:
    config = DistillConfig(
        method=MethodConfig("encoding", alpha, projector_layers=2, embed_dim=embed_dim),
        student=StudentConfig("resnet10-narrow", "cifar"),
        images=ImagesConfig(resolution=SIDE),
    )
    torch.manual_seed(0)
    width = generator.info.num_ws * generator.info.w_dim
    return build_method(config, {"w+": width}, generator)


def draw(generator: Generator) -> Batch:
    """A batch as the stream makes it: images, and the latents that they were made of."""
    batch = make_batch(side=SIDE)
    generated = generator(generator.sample_latents(8, StepRandom(3)))
    assert batch.real_views is not None
    return replace(
        batch,
        real_images=batch.real_views[0].sigmoid(),
        synthetic_images=(generated.images + 1) / 2,
        source={"w+": generated.w.flatten(1)},
    )


@pytest.mark.parametrize("alpha", [0.25, 1.0])
def test_loss_is_the_sum_of_what_is_logged_of_each_stream(
    alpha: float, generator: Generator
) -> None:
    method = build(generator, alpha)
    batch = draw(generator)
    losses = measure(method, batch if alpha < 1 else replace(batch, real_views=None))
    expected = alpha * (losses["syn/latent"] + losses["syn/l1"])
    if alpha < 1:
        expected += (1 - alpha) * losses["real/l1"]
    assert losses["loss"] == pytest.approx(expected, rel=1e-5)
    assert {name for name in losses if "/" in name} == {
        "syn/latent",
        "syn/l1",
        *(["real/l1"] if alpha < 1 else []),
    }


def test_the_latent_that_an_image_was_made_of_makes_it_again(generator: Generator) -> None:
    batch = draw(generator)
    assert batch.source is not None
    assert batch.synthetic_images is not None
    resynthesis = Resynthesis(generator, None, "const")
    latents = batch.source["w+"]
    distances = resynthesis.distances(latents, batch.synthetic_images)
    assert distances["l1"].shape == (8,)
    assert float(distances["l1"].max()) < 1e-5
    others = resynthesis.distances(latents.flip(0), batch.synthetic_images)
    assert float(others["l1"].min()) > 1e-3
    smaller = resized_crop(batch.synthetic_images, torch.tensor([[0, 0, 8, 8]]).expand(8, 4), 6)
    assert float(resynthesis.distances(latents, smaller)["l1"].max()) < 1e-5


def test_each_layer_has_a_w_of_its_own(generator: Generator) -> None:
    method = build(generator, 1.0)
    latents = method.embed(torch.zeros(2, 3, SIDE, SIDE))
    assert latents.shape == (2, generator.info.num_ws * generator.info.w_dim)


def test_images_alone_teach_through_the_frozen_generator(generator: Generator) -> None:
    method = build(generator, 0.25)
    shake(method)
    before = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    batch = draw(generator)
    assert isinstance(method, Encoding)
    assert batch.real_views is not None
    assert batch.real_images is not None
    predicted = method.embed(batch.real_views[0])
    distance = method.resynthesis.distances(predicted, batch.real_images)["l1"].mean()
    names, parameters = zip(*method.named_parameters(), strict=True)
    gradients = torch.autograd.grad(distance, parameters)
    still = [name for name, x in zip(names, gradients, strict=True) if not bool(x.any())]
    assert still == []
    assert not any(parameter.requires_grad for parameter in generator.parameters())
    assert all(torch.equal(before[name], x) for name, x in generator.state_dict().items())
    # What is frozen is in no checkpoint.
    assert {name.partition(".")[0] for name in method.state_dict()} == {"backbone", "projector"}


def test_where_there_are_real_images_they_alone_enter_the_running_statistics(
    generator: Generator,
) -> None:
    batch = draw(generator)
    assert batch.synthetic_views is not None
    other = replace(batch, synthetic_views=tuple(3 * view for view in batch.synthetic_views))
    means = []
    for one in (batch, other):
        method = build(generator, 0.5).train()
        method(one)
        means.append(method.get_buffer("backbone.bn1.running_mean"))
    assert torch.equal(*means)


def test_what_does_not_fit_is_refused(generator: Generator) -> None:
    with pytest.raises(UserError, match=r"embed_dim is 7, but with method\.name encoding"):
        build(generator, 1.0, embed_dim=7)
    with pytest.raises(UserError, match=r"of the family dcgan doesn't have; it takes StyleGAN2"):
        build(make_network("dcgan"), 1.0)
    batch = draw(generator)
    with pytest.raises(ValueError, match="without augmentation"):
        build(generator, 1.0)(replace(batch, synthetic_images=None))
    with pytest.raises(ValueError, match="needs the latents"):
        build(generator, 1.0)(replace(batch, source=None))
