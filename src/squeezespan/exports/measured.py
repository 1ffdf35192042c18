"""What has been measured of a student: its run's monitor, and results of `squeezespan probe`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from squeezespan.data.notices import say
from squeezespan.errors import UserError
from squeezespan.evaluation.probe import describe_protocol
from squeezespan.files import check_file, file_sha256
from squeezespan.models.student_file import STUDENT_FILE, student_path
from squeezespan.reports.metrics import read_metrics

__all__ = ["Measurement", "find_measurements", "run_of"]

_FIELDS: dict[str, type] = {
    "protocol": str,
    "settings": dict,
    "accuracy": float,
    "interval": list,
    "data": str,
    "n_test": int,
    "seed": int,
    "date": str,
    "hardware": str,
}
"""What a result of `probe --json` has, among else."""


@dataclass(frozen=True)
class Measurement:
    """One accuracy."""

    how: str
    data: str
    """Images that were classified."""
    accuracy: float
    interval: tuple[float, float]
    """95%."""
    command: str | None
    """None where the result is older than its being kept."""
    where: str
    """Device and date."""


def run_of(run_or_file: str | Path) -> Path | None:
    """Give the run folder that a student is in, None for a file by itself."""
    path = Path(run_or_file)
    folder = path if path.is_dir() else path.parent
    is_its_student = path.is_dir() or path.name == STUDENT_FILE
    return folder if is_its_student and (folder / "metrics.jsonl").is_file() else None


def find_measurements(
    run_or_file: str | Path, provenance: Mapping[str, Any], results: Sequence[Path] = ()
) -> list[Measurement]:
    """Give all that is known of a student's accuracy, and of no other's.

    Args:
        run_or_file: a run folder, whose results are found, or a student's file.
        provenance: of the student.
        results: files of `probe --json` besides those in the run folder.

    Raises:
        UserError: a file among `results` is none, or is of other weights.
    """
    run, weights = run_of(run_or_file), student_path(run_or_file)
    sha256 = file_sha256(weights)
    found = [_judged(path, _read(path), sha256) for path in results]
    named = {path.resolve() for path in results}
    for path in sorted(run.glob("*.json")) if run else ():
        if path.resolve() in named:
            continue
        try:
            found.append(_judged(path, _read(path), sha256))
        except _OtherWeightsError as error:
            say(f"left out of the card: {error}")
        except UserError:
            continue
    return [*(_monitor(run, provenance) if run else ()), *found]


class _OtherWeightsError(UserError):
    """A result, but not of this student."""


def _read(path: Path) -> dict[str, Any]:
    check_file(path, "result of `squeezespan probe --json`")
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{path} is no result of `squeezespan probe --json`: {error}") from error
    lacks = _lacking(result)
    if lacks is not None:
        raise UserError(f"{path} is no result of `squeezespan probe --json`: it has no {lacks}")
    return dict(result)


def _lacking(result: object) -> str | None:
    if not isinstance(result, dict):
        return "names and values"
    for name, kind in _FIELDS.items():
        if not isinstance(result.get(name), kind):
            return name
    return None if _is_interval(result["interval"]) else "interval"


def _is_interval(ends: list[Any]) -> bool:
    return len(ends) == 2 and all(isinstance(end, float) for end in ends)


def _judged(path: Path, result: dict[str, Any], sha256: str) -> Measurement:
    if result.get("weights_sha256") != sha256:
        other = "other weights" if result.get("weights_sha256") else "weights that it doesn't tell"
        raise _OtherWeightsError(
            f"{path} was measured with {other} (the student may have been trained on since); "
            "run `squeezespan probe` again"
        )
    low, high = result["interval"]
    return Measurement(
        how=describe_protocol(result),
        data=f"{result['n_test']} test images of {result['data']}",
        accuracy=result["accuracy"],
        interval=(low, high),
        command=result.get("command"),
        where=f"{result['hardware']}, {result['date']}",
    )


def _monitor(run: Path, provenance: Mapping[str, Any]) -> list[Measurement]:
    """Give the run's own last kNN check before, or at, the step of the student."""
    epochs = provenance.get("epochs")
    checks = [record for record in read_metrics(run / "metrics.jsonl") if record["kind"] == "knn"]
    checks = [record for record in checks if epochs is not None and record["epoch"] <= epochs]
    if not checks:
        return []
    last = checks[-1]
    session = _last_session(run)
    at = "" if last["epoch"] == epochs else f", {last['epoch']:g} epochs in"
    return [
        Measurement(
            how=f"kNN, the run's monitor{at}",
            data=f"{last['knn_queries']} images held out of train",
            accuracy=last["knn_accuracy"],
            interval=(last["knn_low"], last["knn_high"]),
            command=session.get("command"),
            where=f"{session.get('device', 'device unknown')}, {session.get('time', '')}",
        )
    ]


def _last_session(run: Path) -> dict[str, Any]:
    try:
        text = (run / "environment.json").read_text(encoding="utf-8")
        session: dict[str, Any] = json.loads(text)["sessions"][-1]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return {}
    return session
