"""Opening many damaged files, and counting what came of them."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from untrusted.mutations import Mutants
from untrusted.opener import Opener, Outcome, problem

__all__ = ["Summary", "fuzz"]

_DISCRIMINATOR_EVERY = 10


@dataclass
class Summary:
    """What came of the files so far."""

    files: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    """How many were loaded, refused, escaped or ended the process."""
    begun_from: Counter[str] = field(default_factory=Counter)
    """How many were made from which valid file."""
    max_seconds: float = 0.0
    max_seconds_index: int = -1
    max_bytes: int = 0
    max_bytes_index: int = -1
    problems: list[dict[str, Any]] = field(default_factory=list)

    def add(self, index: int, name: str, outcome: Outcome) -> str | None:
        """Count a file and give its problem, None for none."""
        self.files += 1
        self.kinds[outcome.kind] += 1
        self.begun_from[name] += 1
        if outcome.seconds > self.max_seconds:
            self.max_seconds, self.max_seconds_index = outcome.seconds, index
        if outcome.bytes > self.max_bytes:
            self.max_bytes, self.max_bytes_index = outcome.bytes, index
        found = problem(outcome)
        if found:
            self.problems.append({"index": index, "begun_from": name, "problem": found})
        return found


def fuzz(
    opener: Opener,
    mutants: Mutants,
    indices: range,
    folder: Path,
    *,
    report: Callable[[Summary], object] = lambda _: None,
    keep: Path | None = None,
) -> Summary:
    """Open the damaged files of these indices.

    Args:
        opener: opens them.
        mutants: makes them.
        indices: which.
        folder: for the files, one at a time.
        report: called after every file.
        keep: where files with a problem are kept; None keeps none.
    """
    summary = Summary()
    for index in indices:
        name, data = mutants.make(index)
        path = folder / f"damaged{Path(name).suffix}"
        path.write_bytes(data)
        outcome = opener.open(path, discriminator=index % _DISCRIMINATOR_EVERY == 0)
        if summary.add(index, name, outcome) and keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{index}-{name}").write_bytes(data)
        report(summary)
    return summary
