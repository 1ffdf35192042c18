"""What a network has seen besides its own images without labels: labels, and others' weights.

A network's provenance keeps it under `saw`, in words, and whatever learns from that network, or
starts from it, repeats it.
"""

from collections.abc import Mapping
from typing import Any

from squeezespan.untrusted.wording import shown

__all__ = ["LABELS", "inherited"]

LABELS = "class labels of the images"
"""What a conditional GAN has seen."""

_LONGEST, _MOST = 300, 20


def inherited(provenance: Mapping[str, Any] | None, teacher: str) -> tuple[str, ...]:
    """Give what a network has seen by way of another that it learns from.

    Args:
        provenance: of that other one's file, which anyone may have written.
        teacher: what to call it, such as "the GAN".
    """
    saw = (provenance or {}).get("saw")
    if not isinstance(saw, list | tuple):
        return ()
    return tuple(f"{shown(str(item), _LONGEST)}, by way of {teacher}" for item in saw[:_MOST])
