"""The data spec `builtin:NAME`: images that come with the package."""

from pathlib import Path

from squeezespan.data.sources.base import Source
from squeezespan.data.sources.tree import open_tree
from squeezespan.data.splits import Split
from squeezespan.errors import UserError
from squeezespan.settings import closest

__all__ = ["open_builtin"]

_ASSETS = Path(__file__).parents[2] / "assets"
_FILES = {"cifar10-mini": "cifar10-mini.tar.xz"}


def open_builtin(name: str, split: Split, *, memory_limit: int) -> Source:
    """Open one split of a set that comes with the package.

    `cifar10-mini` is 10,000 train and 2,000 test images of CIFAR-10 (JPEG), equally many of each
    class.

    Args:
        name: of the set.
        split: `train` or `test`.
        memory_limit: bytes that its files may take in memory.

    Raises:
        UserError: no set of this name, or no such split.
    """
    file = _FILES.get(name)
    if file is None:
        known = ", ".join(f"builtin:{known}" for known in _FILES)
        hint = closest(name, list(_FILES)) or f"; it has {known}"
        raise UserError(f"the package has no images builtin:{name}{hint}")
    if split == "unlabeled":
        raise UserError(f"builtin:{name} has no unlabeled split; it has train and test")
    return open_tree(_ASSETS / file, split, memory_limit=memory_limit)
