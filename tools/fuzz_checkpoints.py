"""Open many damaged checkpoints and tell whether any of them ran, hung or filled the memory.

    python tools/fuzz_checkpoints.py --files 20000 --seed 0 --out results/fuzz-checkpoints.json

Every file is a small valid checkpoint with random damage, opened in a process that reports
whatever it does besides reading that file. An index and a seed give the same file every time.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from untrusted.fuzzing import Summary, fuzz
from untrusted.mutations import Mutants
from untrusted.opener import Opener
from untrusted.valid import write_valid_files

from squeezespan.environment import environment
from squeezespan.files import write_json

_REPORT_SECONDS = 30


class _Progress:
    """Writes a line now and then."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._last = time.monotonic()

    def __call__(self, summary: Summary) -> None:
        now = time.monotonic()
        if now - self._last >= _REPORT_SECONDS or summary.files == self._total:
            self._last = now
            print(
                f"{summary.files:,} of {self._total:,} files, {len(summary.problems)} problems, "
                f"longest {summary.max_seconds:.2f} s, most {summary.max_bytes / 2**20:.0f} MiB",
                file=sys.stderr,
                flush=True,
            )


def main() -> int:
    """Read the arguments, open the files and write the summary.

    Returns:
        1 if any file had a problem.
    """
    parser = argparse.ArgumentParser(description="Open many damaged checkpoints.")
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", type=int, default=0, help="index of the first file")
    parser.add_argument("--out", type=Path, help="JSON file; the standard output if absent")
    parser.add_argument("--keep", type=Path, help="folder for files that had a problem")
    arguments = parser.parse_args()
    begin = time.monotonic()
    before = environment()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        valid = write_valid_files(folder)
        with Opener(list(valid)) as opener:
            summary = fuzz(
                opener,
                Mutants({path.name: data for path, data in valid.items()}, arguments.seed),
                range(arguments.start, arguments.start + arguments.files),
                folder,
                report=_Progress(arguments.files),
                keep=arguments.keep,
            )
    result = _describe(summary, arguments.seed, arguments.start, time.monotonic() - begin)
    result["environment"] = before
    if arguments.out is None:
        print(json.dumps(result, indent=2))
    else:
        write_json(arguments.out, result)
    return 1 if summary.problems else 0


def _describe(summary: Summary, seed: int, start: int, seconds: float) -> dict[str, Any]:
    return {
        "files": summary.files,
        "seed": seed,
        "start": start,
        "escapes": len(summary.problems),
        "problems": summary.problems,
        "outcomes": dict(summary.kinds),
        "max_processor_seconds_of_a_file": round(summary.max_seconds, 3),
        "slowest_index": summary.max_seconds_index,
        "max_mebibytes_of_a_file": round(summary.max_bytes / 2**20, 1),
        "largest_index": summary.max_bytes_index,
        "begun_from": dict(sorted(summary.begun_from.items())),
        "total_seconds": round(seconds),
    }


if __name__ == "__main__":
    sys.exit(main())
