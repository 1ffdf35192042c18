"""A process that opens untrusted files, shared by the tests that need one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from untrusted.opener import Opener
from untrusted.valid import write_valid_files


@pytest.fixture(scope="session")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, bytes]:
    """Valid checkpoints of every format."""
    return write_valid_files(tmp_path_factory.mktemp("valid"))


@pytest.fixture(scope="session")
def opener(valid: dict[Path, bytes]) -> Iterator[Opener]:
    """Opens files under limits and tells what they did."""
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("measuring the memory that a file takes needs Linux")
    with Opener(list(valid)) as started:
        yield started
