"""What a network has seen besides its own images without labels: labels, and others' weights.

A network's provenance keeps it under `saw`, in words, and whatever learns from that network, or
starts from it, repeats it.
"""

from collections.abc import Mapping
from typing import Any

from squeezespan.untrusted.wording import shown

__all__ = ["LABELS", "inherited", "labels_of_images"]

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


def labels_of_images(provenance: Mapping[str, Any] | None, images: str) -> tuple[str, ...]:
    """Give what a network has seen that was trained further on labelled images.

    Args:
        provenance: of the network that it began with, which anyone may have written.
        images: how many, and of what.
    """
    saw = (provenance or {}).get("saw")
    before = [shown(str(item), _LONGEST) for item in saw] if isinstance(saw, list | tuple) else []
    return (*before[:_MOST], f"labels of {shown(images, _LONGEST)}")
