"""Files that a fuzzer found by coverage: each takes another way through the reader."""

import zipfile
from pathlib import Path

from untrusted.opener import Opener, problem

CORPUS = Path(__file__).with_name("corpus.zip")


def test_files_of_the_fuzzer_open_or_are_refused(opener: Opener, tmp_path: Path) -> None:
    """The files with which `tools/fuzz_reader.py` begins."""
    path, problems = tmp_path / "fuzzed.pt", {}
    with zipfile.ZipFile(CORPUS) as archive:
        names = archive.namelist()
        for name in names:
            path.write_bytes(archive.read(name))
            problems[name] = problem(opener.open(path))
    assert {name: found for name, found in problems.items() if found} == {}
    assert len(names) > 100
