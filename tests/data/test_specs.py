"""A data spec that is none says what was meant or how one looks."""

from pathlib import Path

import pytest
from image_files import pets, write_tree

from squeezespan.data.specs import open_images
from squeezespan.errors import UserError


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "begins with builtin:, cifar10:"),
        ("cifar-10:data", r"did you mean cifar10\?"),
        ("fodler:data", r"did you mean folder\?"),
        ("folder:", "names no place"),
        ("builtin:cifar10", r"did you mean cifar10-mini\?"),
    ],
)
def test_not_a_spec(spec: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        open_images(spec, "train")


def test_path_without_a_kind(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"did you mean folder:"):
        open_images(str(tmp_path), "train")


def test_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_tree(tmp_path / "pets", pets(1, 1))
    assert len(open_images("folder:~/pets", "train")) == 2


@pytest.mark.parametrize("spec", ["builtin:cifar10-mini", "cifar10:x"])
def test_split_that_a_set_does_not_have(spec: str) -> None:
    with pytest.raises(UserError, match="no unlabeled split"):
        open_images(spec, "unlabeled")
