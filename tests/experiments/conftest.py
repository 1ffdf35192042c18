"""An experiment so small that a training of it takes a second."""

import shutil
from pathlib import Path

import pytest
from tiny_experiments import TINY
from tiny_runs import make_gan, make_images

from squeezespan.experiments.asked import Asked
from squeezespan.experiments.catalog import EXPERIMENTS


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A labelled data set called `four`, and a generator."""
    folder = tmp_path_factory.mktemp("experiment")
    data = make_images(folder / "four")
    shutil.copytree(folder / "four" / "train", folder / "four" / "test")
    return data, str(make_gan(folder / "gan.safetensors", resolution=16))


@pytest.fixture
def asked(files: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setitem(EXPERIMENTS, "tiny", TINY)
    data, gan = files
    return Asked(data=(data,), gan=(gan,), device="cpu", precision="fp32")


@pytest.fixture(scope="session")
def reproduced(
    files: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Asked]:
    """A folder in which the tiny experiment is done with one seed."""
    from squeezespan.experiments.reproduce import plan_experiment, reproduce

    data, gan = files
    out = tmp_path_factory.mktemp("reproduced")
    asked = Asked(data=(data,), gan=(gan,), device="cpu", precision="fp32")
    EXPERIMENTS["tiny"] = TINY
    try:
        reproduce(plan_experiment("tiny", asked, out))
    finally:
        del EXPERIMENTS["tiny"]
    return out, asked
