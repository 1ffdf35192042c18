"""A tiny generator, tiny images and settings for the tests of the loop and of students."""

import multiprocessing
from multiprocessing.context import ForkServerContext
from pathlib import Path

import pytest
from tiny_runs import make_gan, make_images, tiny_config

from squeezespan.config import DistillConfig


@pytest.fixture(scope="session")
def gan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gan(tmp_path_factory.mktemp("gan") / "gan.safetensors")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    return make_images(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def config(data: str, gan: Path) -> DistillConfig:
    return tiny_config(data, gan)


@pytest.fixture(scope="session")
def standardized(data: str, gan: Path) -> DistillConfig:
    """Squeeze and Span with the standardized target."""
    method = {"target": "standardized", "embed_dim": None}
    return tiny_config(data, gan, method=method, source={"statistics_images": 120})


@pytest.fixture(scope="session")
def server() -> ForkServerContext:
    """Starts processes that have everything imported but nothing computed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["squeezespan.distillation.distill", "timm"])
    return context
