"""How far the projected discriminator and its steps are from the published code's numbers."""

from pathlib import Path
from unittest import mock

import numpy as np
import torch
from gan import formula
from torch import Tensor

from squeezespan.discriminators.projected.network import (
    ProjectedDiscriminator,
    ProjectedDiscriminatorConfig,
)
from squeezespan.discriminators.projected.sources import open_features
from squeezespan.gan import trained
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.diffaugment import diff_augment
from squeezespan.gan.projected_step import ProjectedStep
from squeezespan.settings import from_dict

__all__ = ["judgement_errors", "read_published", "step_errors"]

Vectors = dict[str, Tensor]


def read_published() -> Vectors:
    """What `tools/references/draw_projected.py` wrote."""
    with np.load(Path(__file__).with_name("projected_gan.npz")) as stored:
        return {name: torch.from_numpy(x) for name, x in stored.items()}


def judgement_errors(name: str, published: Vectors) -> dict[str, float]:
    """Errors of augmented images, feature maps, mixed maps, logits and the images' gradients."""
    case = formula.JUDGED[name]
    features = open_features("efficientnet-lite0", case.resolution)
    config = ProjectedDiscriminatorConfig(
        features.channels, num_classes=case.classes, separable=case.separable
    )
    discriminator = ProjectedDiscriminator(config).train()
    for key, tensor in discriminator.state_dict().items():
        formula.fill(key, tensor)
    images = formula.images(case.resolution).requires_grad_()
    augmented = diff_augment(images, formula.FormulaRandom(0, 0, stream="judge"))
    maps = features(augmented)
    mixed = discriminator.mixing(maps)
    logits = discriminator(maps, formula.labels(case.classes))
    logits.mean().backward()
    assert images.grad is not None
    found = {"augmented": augmented, "gradient": images.grad}
    found |= {f"map{i}": x for i, x in enumerate(maps)}
    found |= {f"mixed{i}": x for i, x in enumerate(mixed)}
    errors = {key: _error(formula.some(x), published[f"{name}/{key}"]) for key, x in found.items()}
    return {**errors, "logits": _error(logits, published[f"{name}/logits"])}


def step_errors(name: str, published: Vectors) -> dict[str, float]:
    """Errors of the losses of some steps, and of the averaged generator's images after them."""
    case = formula.CASES[name]
    gan = ProjectedStep(_settings(case), case.classes, torch.device("cpu"), torch.float32)
    for network in (gan.generator, gan.discriminator, gan.average):
        for key, tensor in network.state_dict().items():
            formula.fill(key, tensor)
    for optimizer in (gan.generator_optimizer, gan.discriminator_optimizer):
        assert optimizer.param_groups[0]["eps"] == 1e-8
        optimizer.param_groups[0]["eps"] = formula.EPS
    losses = []
    with mock.patch.object(trained, "StepRandom", formula.FormulaRandom):
        for step in range(formula.STEPS):
            real = formula.images(case.resolution, step)
            numbers = gan.run(step, real, formula.labels(case.classes))
            losses += [float(numbers["loss/generator"]), float(numbers["loss/discriminator"])]
    # The published code has the discriminator's two halves apart.
    generator, fake, true = published[f"{name}/losses"].view(-1, 3).unbind(dim=1)
    expected = torch.stack([generator, fake + true], dim=1).flatten()
    random = formula.FormulaRandom(0, 0, stream="shown")
    latents = gan.average.sample_latents(formula.BATCH, random)
    with torch.no_grad():
        images = gan.average(latents, noise="random", random=random).images
    errors = {
        "losses": _error(torch.tensor(losses), expected),
        "images": _error(formula.some(images), published[f"{name}/images"]),
    }
    if case.family == "stylegan2":
        average = gan.average.get_buffer("mapping.w_avg")
        errors["w_avg"] = _error(average, published[f"{name}/w_avg"])
    return errors


def _error(ours: Tensor, theirs: Tensor) -> float:
    """Largest difference over the largest magnitude."""
    return float((ours.detach() - theirs).abs().max() / theirs.abs().max())


def _settings(case: formula.Case) -> GanTrainConfig:
    sizes: dict[str, object] = {"family": case.family, "z_dim": 8}
    if case.family == "stylegan2":
        sizes |= {"w_dim": 8, "channel_base": 256, "channel_max": 16, "mapping_layers": 2}
        sizes |= {"conv_clamp": None}
    else:
        sizes |= {"base_width": 8}
    return from_dict(
        GanTrainConfig,
        {
            "resolution": case.resolution,
            "train": {"batch_size": formula.BATCH, "learning_rate": formula.RATE},
            "generator": sizes,
            "discriminator": {"family": "projected"},
            "projected": {"separable": case.separable},
            "loss": {
                "r1_gamma": 0,
                "path_length_weight": 0,
                "style_mixing": 0,
                "ema_kimg": formula.EMA_KIMG,
            },
            "augment": {"enabled": False},
        },
        where="test",
    )
