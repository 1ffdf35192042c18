"""What a step frees serves the next ones."""

import subprocess
import sys

import pytest

_STEPS = """
import resource
import torch
from squeezespan.runs.memory import keep_freed_memory

def new_pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.ones(64, 1024, 256)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

kept = keep_freed_memory()
print(int(kept), [new_pages() for _ in range(10)][-1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc can be told")
def test_freed_memory_is_used_again() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STEPS], capture_output=True, text=True, check=True
    )
    kept, new_pages = map(int, done.stdout.split())
    if not kept:
        pytest.skip("this C library has no mallopt")
    # The tensor has 16384 pages of 4 KiB.
    assert new_pages < 100
