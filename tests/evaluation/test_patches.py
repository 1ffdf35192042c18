"""The bag of features, by patches of an image."""

from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_runs import make_images, make_student_file
from torch import Tensor, nn
from torchvision.transforms.v2.functional import resized_crop

from squeezespan.data.crop import draw_boxes
from squeezespan.errors import UserError
from squeezespan.evaluation.options import ProbeOptions
from squeezespan.evaluation.patches import BagOfPatches
from squeezespan.evaluation.probe import probe
from squeezespan.experiments.evaluations import Target, read_evaluations
from squeezespan.randomness import StepRandom


class Corner(nn.Module):
    """The top left pixel and the mean of an image, and what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.seen.append(images)
        return torch.cat([images[:, :, 0, 0], images.mean((2, 3))], 1)


def test_features_are_the_mean_over_square_quarters_of_the_image() -> None:
    images = torch.randint(
        256, (3, 3, 16, 16), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
    )
    backbone = Corner()
    features = BagOfPatches(backbone, 30, seed=0)(images)
    assert len(backbone.seen) == 30
    # Every patch is one of the 81 squares of 8 pixels, and few of them come twice.
    squares = {
        (top, left): resized_crop(images / 255, top, left, 8, 8, [16, 16], antialias=True)
        for top in range(9)
        for left in range(9)
    }
    places = [
        next(place for place, patch in squares.items() if torch.allclose(patch, seen, atol=1e-5))
        for seen in backbone.seen
    ]
    assert len(set(places)) > 20
    # Whatever else is drawn from the seed, these are drawn apart from it.
    random = StepRandom(0, stream="bag-of-patches")
    boxes = draw_boxes(30, 16, 16, random, scale=(0.25, 0.25), ratio=(1.0, 1.0))
    assert places == [(top, left) for top, left, _, _ in boxes.tolist()]
    expected = torch.stack([Corner()(patch) for patch in backbone.seen]).mean(0)
    torch.testing.assert_close(features, expected)
    assert torch.equal(BagOfPatches(Corner(), 30, seed=0)(images[1:2]), features[1:2])
    assert not torch.equal(BagOfPatches(Corner(), 30, seed=1)(images), features)


@pytest.mark.parametrize("protocol", ["knn", "logistic", "fewshot"])
def test_probes_say_that_patches_were_averaged(protocol: Any, tmp_path: Path) -> None:
    data = make_images(tmp_path / "images")
    (tmp_path / "images" / "test").symlink_to(tmp_path / "images" / "train")
    student = make_student_file(tmp_path / "student.safetensors")
    options = ProbeOptions(patches=3, k=5, shots=2, draws=2, device="cpu")
    result = probe(student, data, protocol, options)
    assert result["settings"]["patches"] == 3
    assert "patches" not in probe(student, data, protocol, ProbeOptions(shots=2))["settings"]


def test_the_linear_probe_has_crops_of_its_own(tmp_path: Path) -> None:
    data = make_images(tmp_path / "images")
    (tmp_path / "images" / "test").symlink_to(tmp_path / "images" / "train")
    student = make_student_file(tmp_path / "student.safetensors")
    with pytest.raises(UserError, match=r"linear probe draws crops of its own.*choose another"):
        probe(student, data, "linear", ProbeOptions(patches=3))


def test_what_was_judged_before_there_were_patches_is_still_found() -> None:
    """Evaluations are named by their options; one that is left out renames none."""
    cells = Path(__file__).parents[2] / "results" / "mini-cifar10" / "search" / "cells"
    options = ProbeOptions(copies=5, shots=50, draws=3, num_workers=2)
    found = [
        read_evaluations(cell / "evaluations", Target.held_out(), ("logistic", "knn"), options)
        for cell in cells.iterdir()
    ]
    assert found
    assert all(found)
    averaged = ProbeOptions(copies=5, shots=50, draws=3, patches=4)
    assert not read_evaluations(
        next(cells.iterdir()) / "evaluations", Target.held_out(), ("logistic", "knn"), averaged
    )
