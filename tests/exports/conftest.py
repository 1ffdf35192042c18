"""Students to export: small, with batch norms that have seen something."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from squeezespan.models.backbones import build_backbone, num_features
from squeezespan.models.student_file import save_student

NORMALIZATION = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}


def make_student(path: Path, arch: str, stem: Any, side: int, **provenance: Any) -> Path:
    """Write a student whose every number differs from the one that a fresh network has."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        network = build_backbone(arch, stem, side)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.data.uniform_(0.5, 1.0)
                module.bias.data.normal_(0, 0.2)
                assert module.running_mean is not None
                assert module.running_var is not None
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.8, 1.2)
    header = {
        "arch": arch,
        "stem": stem,
        "num_features": num_features(network),
        "resolution": side,
        "normalization": NORMALIZATION,
        "provenance": json.loads(json.dumps(provenance)),
    }
    save_student(path, network, header)
    return path


@pytest.fixture(scope="session")
def student(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Makes a student once for all tests that need it: `student(arch, stem, side)`."""
    folder, made = tmp_path_factory.mktemp("students"), set[Path]()

    def make(arch: str = "resnet10-narrow", stem: str = "cifar", side: int = 16) -> Path:
        path = folder / f"{arch}-{stem}-{side}.safetensors"
        if path not in made:
            made.add(make_student(path, arch, stem, side))
        return path

    return make
