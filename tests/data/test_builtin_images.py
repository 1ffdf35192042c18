"""The shipped images are what their note says."""

import hashlib
import importlib.util
import json
from pathlib import Path
from types import ModuleType

import torch

from squeezespan.data.sources.archives import list_archive
from squeezespan.data.specs import open_images

_ROOT = Path(__file__).resolve().parents[2]
_ASSETS = _ROOT / "src" / "squeezespan" / "assets"


def test_cifar10_mini() -> None:
    train = open_images("builtin:cifar10-mini", "train")
    test = open_images("builtin:cifar10-mini", "test")
    for images, count in ((train, 1000), (test, 200)):
        assert images.resolution == 32
        assert images.labels is not None
        assert images.labels.bincount().tolist() == [count] * 10
        assert images.class_names == test.class_names
    assert test.class_names[3] == "cat"
    pixels = torch.cat([s.batch(torch.arange(len(s))) for s in (train, test)])
    different = torch.unique(pixels.flatten(1), dim=0)
    assert len(different) == 12_000


def test_asset_is_the_one_of_the_note() -> None:
    content = (_ASSETS / "cifar10-mini.tar.xz").read_bytes()
    note = json.loads((_ASSETS / "cifar10-mini.json").read_text())
    assert len(content) == note["bytes"] <= 5_000_000
    assert hashlib.sha256(content).hexdigest() == note["sha256"]


def _script() -> ModuleType:
    path = _ROOT / "tools" / "make_cifar10_mini.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_script_draws_the_same_files_again(shared: Path) -> None:
    script = _script()
    archive = shared / "data" / "cifar10-test.tar.xz"
    drawn = script.draw(archive, "test", script.PER_CLASS["test"], script.SEED)
    files = list_archive(_ASSETS / "cifar10-mini.tar.xz", memory_limit=2**30)
    packed = {name: files.read(i) for i, name in enumerate(files.names) if name[:4] == "test"}
    assert packed == drawn
