"""Doing what a card says."""

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

__all__ = ["features_by_the_card"]


def features_by_the_card(folder: Path, images: Tensor, patch: pytest.MonkeyPatch) -> Tensor:
    """Run the Python in an exported folder's card, as its reader would.

    Args:
        folder: what was exported.
        images: float [B, 3, R, R] in [0, 1].
        patch: changes to the folder.
    """
    card = (folder / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", card, re.S)
    given = images.numpy() if "`images` a numpy array" in card else images
    names: dict[str, Any] = {"__name__": "__main__", "images": given}
    patch.chdir(folder)
    with torch.no_grad():
        exec(compile(code, f"{folder}/README.md", "exec"), names)
    features: Tensor = torch.as_tensor(names["features"])
    return features
