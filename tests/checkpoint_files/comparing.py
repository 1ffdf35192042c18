"""Comparing what a file opens as with the network that was written to it."""

from pathlib import Path
from typing import Any

import torch

import squeezespan
from squeezespan.generators.base import Generator
from squeezespan.randomness import StepRandom


def same_images(path: Path, original: Generator, **choices: Any) -> None:
    """Assert that a file opens as the original: sizes, images, features and w.

    Args:
        path: the file.
        original: what was written to it.
        choices: of `load_generator`.
    """
    opened = squeezespan.load_generator(path, **choices)
    latents = original.sample_latents(3, StepRandom(0))
    with torch.no_grad():
        expected, found = original(latents), opened(latents)
    assert opened.info == original.info
    assert torch.equal(found.images, expected.images)
    assert torch.equal(found.w, expected.w)
    assert list(found.features) == list(expected.features)
    for block, feature in expected.features.items():
        assert torch.equal(found.features[block], feature)
