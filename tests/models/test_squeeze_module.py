"""The squeeze module beside the authors', under their parameter names."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from squeezespan.models.squeeze import Squeeze


@pytest.fixture
def golden(shared: Path) -> dict[str, Tensor]:
    with np.load(shared / "golden" / "squeeze_module" / "io.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays}


@pytest.fixture
def source(golden: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"b{4 * 2**i}": golden[f"feat_{i}"].mean(dim=(2, 3)) for i in range(4)}


@pytest.fixture
def squeeze(shared: Path, source: dict[str, Tensor]) -> Squeeze:
    widths = {name: features.shape[1] for name, features in source.items()}
    module = Squeeze(widths, hidden_dim=24, out_dim=32, layers=3)
    module.load_state_dict(load_file(shared / "golden" / "squeeze_module" / "weights.safetensors"))
    return module


def test_evaluation_output_is_the_references(
    squeeze: Squeeze, source: dict[str, Tensor], golden: dict[str, Tensor]
) -> None:
    torch.testing.assert_close(squeeze.eval()(source), golden["output_eval"], rtol=1e-5, atol=1e-5)


def test_training_output_and_statistics_are_the_references(
    squeeze: Squeeze, source: dict[str, Tensor], golden: dict[str, Tensor]
) -> None:
    torch.testing.assert_close(
        squeeze.train()(source), golden["output_train"], rtol=1e-5, atol=1e-5
    )
    buffers = dict(squeeze.named_buffers())
    after = {k.removeprefix("after_train_"): v for k, v in golden.items() if "after_train_" in k}
    assert after.keys() == buffers.keys()
    for name, expected in after.items():
        torch.testing.assert_close(buffers[name], expected, rtol=1e-5, atol=1e-6)


def test_a_latent_is_squeezed_like_a_block() -> None:
    module = Squeeze({"w": 6}, hidden_dim=8, out_dim=4)
    assert module({"w": torch.randn(5, 6)}).shape == (5, 4)
