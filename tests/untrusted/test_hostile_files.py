"""Every hostile file ends in one line of refusal: nothing runs, hangs or fills the memory."""

import pickle
import re
from pathlib import Path

import pytest
from untrusted.collection import HOSTILE
from untrusted.content import Canary, write
from untrusted.opener import Opener, Outcome, problem
from untrusted.worker import Watch


def test_there_are_enough_of_them() -> None:
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_in_one_line(name: str, opener: Opener, tmp_path: Path) -> None:
    quiet = tmp_path / "quiet"
    quiet.mkdir()
    path = tmp_path / "hostile.pkl"
    write(path, HOSTILE[name](Canary(quiet / "canary")))
    outcome = opener.open(path)
    assert problem(outcome) is None
    assert outcome.kind == "refused"
    assert not list(quiet.iterdir())


def test_valid_files_pass_the_same_watch(opener: Opener, valid: dict[Path, bytes]) -> None:
    for path in valid:
        outcome = opener.open(path)
        assert problem(outcome) is None, path.name
        assert outcome.kind == "loaded", path.name


@pytest.mark.parametrize("protocol", range(6))
def test_python_s_own_unpickler_runs_what_is_refused_here(protocol: int, tmp_path: Path) -> None:
    canary = Canary(tmp_path / "canary")
    content = HOSTILE[f"calls: os.system, protocol {protocol}"](canary)
    assert isinstance(content, bytes)
    pickle.loads(content)
    assert canary.path.exists()


def test_the_watch_sees_what_reading_does_not_need() -> None:
    watch = Watch()
    watch.path = "/tmp/file.pkl"
    watch.hook("open", ("/tmp/file.pkl", "rb", 0))
    assert not watch.events
    watch.hook("open", ("/tmp/file.pkl", "wb", 0))
    watch.hook("open", ("/etc/passwd", "rb", 0))
    watch.hook("import", ("antigravity", None))
    watch.hook("os.system", (b"true",))
    assert [event.partition("(")[0] for event in watch.events] == [
        *("open", "open", "import", "os.system")
    ]


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (Outcome("loaded"), None),
        (Outcome("refused", "one line", 1.9, 100.0, 1 << 29), None),
        (Outcome("escaped", "KeyError: 'x'"), "escaped"),
        (Outcome("died"), "died"),
        (Outcome("refused", "two\nlines"), "not one line"),
        (Outcome("loaded", seconds=2.1), r"2\.1 s"),
        (Outcome("loaded", bytes=1 << 31), "2048 MiB"),
        (Outcome("loaded", events=["os.system(b'true')"]), r"it did os\.system"),
    ],
)
def test_what_counts_as_a_problem(outcome: Outcome, expected: str | None) -> None:
    found = problem(outcome)
    assert found is None if expected is None else re.search(expected, str(found))
