"""Fuzz the reader of checkpoints by coverage, with atheris (`pip install atheris`, on Linux).

    python tools/fuzz_reader.py --minutes 40 --out results/fuzz-reader.json

Files begin as the committed corpus, as very small valid ones and as hostile ones. Each is read as a
checkpoint and all its weights are made; anything but success or a `UserError` is a finding, and so
is whatever Python reports to audit hooks besides reading that file, more than five seconds of the
processor and more than two gigabytes.
"""

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT / "tests"))

_CORPUS = _ROOT / "tests" / "untrusted" / "corpus.zip"
_SECONDS, _MEGABYTES = 5, 2048
_PATIENCE = 600
"""Seconds of the clock, on however busy a machine."""
_LONGEST = 8192
_HARMLESS = {
    *("sys._getframe", "sys._getframemodulename", "mmap.__new__", "object.__getattr__"),
    *("builtins.id", "open"),
}


def main() -> int:
    """Fuzz, and write what came of it.

    Returns:
        1 if there was a finding.
    """
    parser = argparse.ArgumentParser(description="Fuzz the reader of checkpoints.")
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="JSON file; the standard output if absent")
    parser.add_argument("--keep", type=Path, help="folder for what the fuzzer found, and findings")
    parser.add_argument("--child", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child is not None:
        _run(arguments.child)
    with contextlib.ExitStack() as stack:
        scratch = stack.enter_context(tempfile.TemporaryDirectory())
        folder = arguments.keep or Path(scratch)
        return _fuzz(arguments, folder)


def _fuzz(arguments: argparse.Namespace, folder: Path) -> int:
    from squeezespan.environment import environment
    from squeezespan.files import write_json

    begun = _begin(folder / "corpus")
    found = folder / "findings"
    found.mkdir(exist_ok=True)
    begin = time.monotonic()
    process = subprocess.run(
        [
            *(sys.executable, __file__, "--child", str(folder / "corpus")),
            *(f"-max_total_time={round(arguments.minutes * 60)}", f"-seed={arguments.seed or 1}"),
            *(f"-max_len={_LONGEST}", f"-rss_limit_mb={_MEGABYTES}"),
            *(f"-timeout={_PATIENCE}", f"-report_slow_units={_PATIENCE}"),
            *(f"-artifact_prefix={found}/", f"-dict={_dictionary(folder)}"),
            *("-print_final_stats=1", "-reload=0"),
        ],
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - begin
    findings = sorted(path.name for path in found.iterdir())
    covered = re.findall(r"cov: (\d+) ft: (\d+)", process.stderr)[-1:]
    result = {
        "executions": _statistic(process.stderr, "number_of_executed_units"),
        "hours": round(seconds / 3600, 3),
        "findings": findings,
        "branches_covered": int(covered[0][0]) if covered else 0,
        "files_at_the_begin": begun,
        "files_that_cover_more": sum(1 for _ in (folder / "corpus").iterdir()),
        "peak_mebibytes": _statistic(process.stderr, "peak_rss_mb"),
        "environment": environment(),
    }
    if findings or process.returncode:
        print(process.stderr[-5000:], file=sys.stderr)
    if arguments.out is None:
        print(json.dumps(result, indent=2))
    else:
        write_json(arguments.out, result)
    return 1 if findings or process.returncode else 0


def _begin(folder: Path) -> int:
    """Write the files to begin with and give their number."""
    from untrusted.seeds import seeds

    folder.mkdir(parents=True, exist_ok=True)
    if _CORPUS.is_file():
        with zipfile.ZipFile(_CORPUS) as archive:
            archive.extractall(folder)
    for index, data in enumerate(seeds()):
        (folder / f"seed-{index}").write_bytes(data)
    return sum(1 for _ in folder.iterdir())


def _dictionary(folder: Path) -> Path:
    """Write the names that mean something in a pickle, as lines and as text with its length."""
    from squeezespan.untrusted.pickles.symbols import SYMBOLS

    entries = {f"c{module}\n{name}\n".encode() for module, name in SYMBOLS}
    entries |= {b"\x8c" + bytes([len(text)]) + text.encode() for pair in SYMBOLS for text in pair}
    path = folder / "dictionary.txt"
    lines = ('"' + "".join(f"\\x{byte:02x}" for byte in entry) + '"' for entry in sorted(entries))
    path.write_text("\n".join(lines) + "\n")
    return path


def _statistic(output: str, name: str) -> int:
    match = re.search(rf"stat::{name}:\s+(\d+)", output)
    return int(match[1]) if match else 0


def _run(options: list[str]) -> None:
    """Be the fuzzer's process, which doesn't come back."""
    import faulthandler  # noqa: F401  (as libFuzzer's alarm does in the middle of a file)

    import atheris

    import squeezespan.generators  # noqa: F401  (torch and others are not instrumented)

    for name in [x for x in sys.modules if x.startswith(_INSTRUMENTED)]:
        del sys.modules[name]
    with atheris.instrument_imports(include=list(_INSTRUMENTED)):
        from squeezespan.generators.checkpoints.reader import read_checkpoint
    from squeezespan.errors import UserError

    memory = os.memfd_create("fuzzed")
    path = Path(f"/proc/{os.getpid()}/fd/{memory}")
    reading = False

    def watch(event: str, values: tuple[Any, ...]) -> None:
        if not reading:
            return
        if event not in _HARMLESS or (event == "open" and str(values[0]) != str(path)):
            print(f"{event}{values!r:.200}", file=sys.stderr, flush=True)
            os.abort()

    def test(data: bytes) -> None:
        nonlocal reading
        os.ftruncate(memory, 0)
        os.pwrite(memory, data, 0)
        reading, begin = True, time.process_time()
        try:
            for network in read_checkpoint(path).networks.values():
                with contextlib.suppress(UserError):
                    network.state  # noqa: B018
        except UserError:
            pass
        finally:
            reading = False
        if time.process_time() - begin > _SECONDS:
            print("it takes too long", file=sys.stderr, flush=True)
            os.abort()

    # Whatever is imported at the first use is imported now.
    for seed in sorted(Path(options[0]).glob("seed-*")):
        test(seed.read_bytes())
    sys.addaudithook(watch)
    atheris.Setup([sys.argv[0], *options], test)
    atheris.Fuzz()


_INSTRUMENTED = ("squeezespan.untrusted", "squeezespan.generators.checkpoints")

if __name__ == "__main__":
    sys.exit(main())
