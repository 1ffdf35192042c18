"""A demo so small that it takes seconds."""

import shutil

import pytest
from tiny_runs import make_gan, make_images

from squeezespan.demo.settings import DemoOptions


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> DemoOptions:
    folder = tmp_path_factory.mktemp("demo")
    gan = make_gan(folder / "gan.safetensors", resolution=16)
    data = make_images(folder / "images")
    shutil.copytree(folder / "images" / "train", folder / "images" / "test")
    # So short that any machine plans the fewest steps.
    return DemoOptions(minutes=0.01, data=data, gan=str(gan), device="cpu", precision="fp32")
