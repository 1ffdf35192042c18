"""The Python of `docs/exports.md` runs, on students of its names."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from exports.conftest import NORMALIZATION
from PIL import Image

from squeezespan import export, load_backbone

_PAGE = Path(__file__).parents[2] / "docs" / "exports.md"


def test_the_pages_python_runs(
    student: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "onnxruntime", "onnxscript"):
        pytest.importorskip(package)
    monkeypatch.chdir(tmp_path)
    large, small = student("resnet18", "imagenet", 64), student("resnet10-narrow", "cifar", 16)
    export(large, "timm", "exported/timm")
    export(large, "torchvision", "exported/torchvision")
    export(small, "onnx", "exported/onnx")
    photos = [torch.rand(3, 96, 128)]
    boxes = {"boxes": torch.tensor([[8.0, 8.0, 64.0, 64.0]]), "labels": torch.tensor([1])}
    image = Image.effect_noise((90, 70), 60).convert("RGB")
    names: dict[str, Any] = {"image": image, "photos": photos, "targets": [boxes]}
    snippets = re.findall(r"```python\n(.*?)```", _PAGE.read_text("utf-8"), re.S)
    found = []
    for snippet in snippets:
        # Small enough for a test.
        exec(compile(snippet.replace("min_size=320", "min_size=96"), str(_PAGE), "exec"), names)
        found.append(names["features"])
    assert found[0].shape == (1, 512)
    assert names["classifier"](torch.rand(2, 3, 64, 64)).shape == (2, 10)
    assert [len(stage[0]) for stage in names["pyramid"](torch.rand(2, 3, 64, 64))] == [
        *(64, 64, 128, 256, 512)
    ]
    assert {"mean": names["mean"], "std": names["std"]} == NORMALIZATION
    assert sum(names["losses"].values()).isfinite()
    pixels = torch.tensor(names["pixels"]).permute(2, 0, 1)[None]
    with torch.no_grad():
        expected = load_backbone(small)(pixels)
    torch.testing.assert_close(torch.tensor(found[-1]), expected, atol=1e-5, rtol=1e-5)
