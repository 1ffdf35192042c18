"""A saved student comes back as the same function, and foreign files are refused in one line."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from squeezespan.errors import UserError
from squeezespan.models.backbones import build_backbone
from squeezespan.models.student_file import STUDENT_FILE, load_backbone, save_student

HEADER: dict[str, Any] = {
    "arch": "resnet10-narrow",
    "stem": "cifar",
    "num_features": 256,
    "resolution": 32,
    "normalization": {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]},
    "provenance": {"method": "squeeze-span", "seed": 3},
}


@pytest.fixture(scope="module")
def network() -> nn.Module:
    torch.manual_seed(0)
    return build_backbone("resnet10-narrow", "cifar", 32)


def test_a_run_folder_gives_the_saved_function(tmp_path: Path, network: nn.Module) -> None:
    save_student(tmp_path / STUDENT_FILE, network, HEADER)
    backbone = load_backbone(tmp_path)
    assert (backbone.num_features, backbone.resolution) == (256, 32)
    assert backbone.header["provenance"] == HEADER["provenance"]
    assert not backbone.training
    images = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8)
    mean, std = (torch.tensor(HEADER["normalization"][k]).view(3, 1, 1) for k in ("mean", "std"))
    with torch.no_grad():
        expected = network.eval()((images / 255 - mean) / std)
        torch.testing.assert_close(backbone(images), expected)
        torch.testing.assert_close(backbone(images / 255), expected)


def test_half_precision_is_stored_as_float32(tmp_path: Path) -> None:
    half = build_backbone("resnet10-narrow", "cifar", 32).to(torch.bfloat16)
    save_student(tmp_path / "half.safetensors", half, HEADER)
    loaded = load_backbone(tmp_path / "half.safetensors")
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    stored = loaded.network.state_dict()
    assert all(torch.equal(stored[name], p.float()) for name, p in half.state_dict().items())


def test_only_batches_of_rgb_images_are_taken(tmp_path: Path, network: nn.Module) -> None:
    save_student(tmp_path / STUDENT_FILE, network, HEADER)
    backbone = load_backbone(tmp_path)
    with pytest.raises(UserError, match=r"RGB images \[B, 3, H, W\], not shape \[2, 1, 32, 32\]"):
        backbone(torch.zeros(2, 1, 32, 32))
    with pytest.raises(UserError, match=r"uint8 or float .* not torch.int64"):
        backbone(torch.zeros(2, 3, 32, 32, dtype=torch.long))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (None, "no squeezespan header"),
        ("{", "damaged squeezespan header"),
        ([], "damaged squeezespan header"),
        ({"kind": "generator"}, "holds a generator, not a student"),
        ({"arch": None}, "no valid 'arch'"),
        ({"arch": "resnet19"}, "no architecture 'resnet19'"),
        ({"stem": "lotus"}, "unknown stem 'lotus'"),
        ({"normalization": {"mean": [0, 0, 0]}}, "no normalization 'std'"),
        ({"arch": "resnet18"}, "do not fit its sizes"),
    ],
)
def test_wrong_headers(tmp_path: Path, network: nn.Module, header: Any, message: str) -> None:
    path = tmp_path / "file.safetensors"
    if isinstance(header, dict):
        header = {"kind": "student", **HEADER, **header}
    text = header if isinstance(header, str) else json.dumps(header)
    save_file(network.state_dict(), path, {} if header is None else {"squeezespan": text})
    with pytest.raises(UserError, match=message) as raised:
        load_backbone(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_wrong_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no run folder"):
        load_backbone(tmp_path / "absent")
    with pytest.raises(UserError, match=f"holds no {STUDENT_FILE}"):
        load_backbone(tmp_path)
    text = tmp_path / "text.safetensors"
    text.write_text("hello")
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        load_backbone(text)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.safetensors"
    os.mkfifo(pipe)
    with pytest.raises(UserError, match="is a named pipe, not a run folder or student"):
        load_backbone(pipe)


def test_an_incomplete_header_is_not_saved(tmp_path: Path, network: nn.Module) -> None:
    with pytest.raises(ValueError, match="no valid 'resolution'"):
        save_student(tmp_path / STUDENT_FILE, network, {**HEADER, "resolution": None})
    assert not list(tmp_path.iterdir())
