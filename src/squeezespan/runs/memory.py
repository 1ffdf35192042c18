"""Keeping the memory that a step frees for the next one."""

import ctypes
import sys

__all__ = ["keep_freed_memory"]

# Parameters of glibc's mallopt(3).
_TRIM_THRESHOLD = -1
_MMAP_MAX = -4


def keep_freed_memory() -> bool:
    """Make this process keep the memory that it frees, as torch does on GPUs.

    glibc takes large blocks from the kernel one by one and gives them back when they are freed. A
    training step on a CPU then gets its feature maps as new pages each time, and the kernel has
    to clear all of them. Kept memory comes from one growing heap instead.

    Returns:
        Whether the C library could be told; only glibc can.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_MMAP_MAX, 0)) and bool(mallopt(_TRIM_THRESHOLD, -1))
