"""Valid checkpoints with random damage: they open or are refused, within a second or two."""

from pathlib import Path

from untrusted.fuzzing import fuzz
from untrusted.mutations import Mutants
from untrusted.opener import Opener

FILES = 400


def test_damaged_files_open_or_are_refused(
    opener: Opener, valid: dict[Path, bytes], tmp_path: Path
) -> None:
    """The first of the files that `tools/fuzz_checkpoints.py` opens by the thousand."""
    mutants = Mutants({path.name: data for path, data in valid.items()}, seed=1)
    summary = fuzz(opener, mutants, range(FILES), tmp_path)
    assert summary.problems == []
    assert summary.files == FILES
    # Damage that never lets a file open, or always does, would test nothing.
    assert min(summary.kinds["loaded"], summary.kinds["refused"]) > FILES / 20
    assert len(summary.begun_from) == len(valid)


def test_an_index_gives_the_same_file_every_time(valid: dict[Path, bytes]) -> None:
    contents = {path.name: data for path, data in valid.items()}
    first, second = Mutants(contents, seed=2), Mutants(contents, seed=2)
    made = [first.make(index) for index in range(50)]
    assert made == [second.make(index) for index in range(50)]
    assert len({data for _, data in made}) > 40
