"""What a benchmark prints, and the file it writes."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from squeezespan.environment import environment
from squeezespan.errors import UserError
from squeezespan.files import write_json

__all__ = ["Report", "table"]


class Report:
    """The record of one benchmark; making it prints on what and when it is measured.

    Args:
        name: of the benchmark, its key in the file.
        seed: of everything random in it.
        device: that is measured.
        json: file that `save` writes; results of other benchmarks in it stay.

    Raises:
        UserError: the file exists and is not one of ours.
    """

    def __init__(self, name: str, seed: int, device: str, json: Path | None) -> None:
        self._name = name
        self._path = json
        self._read()
        self._record: dict[str, Any] = {
            "environment": environment(),
            "device": device,
            "seed": seed,
            "load_before": os.getloadavg()[0],
        }
        self._print_header()

    def save(self, settings: dict[str, Any], results: dict[str, Any]) -> None:
        """Write settings and results beside the environment, if a file was named."""
        if self._path is None:
            return
        self._record["load_after"] = os.getloadavg()[0]
        record = self._record | {"settings": settings, "results": results}
        write_json(self._path, self._read() | {self._name: record})
        print(f"written to {self._path}")

    def _print_header(self) -> None:
        record = self._record["environment"]
        cpu, packages = record["cpu"], record["packages"]
        flags = " ".join(cpu["flags"])
        print(f"{self._name} on {self._record['device']}, {record['time']}")
        print(f"  {cpu['name']}, {cpu['cores']} cores, {cpu['threads']} threads, {flags}")
        if record["gpus"]:
            print(f"  {', '.join(record['gpus'])}, CUDA {record['cuda']}")
        versions = ", ".join(f"{name} {packages[name]}" for name in ("torch", "torchvision"))
        print(f"  {versions}, Python {record['python']}, commit {record['commit']}")
        print(f"  seed {self._record['seed']}, load {self._record['load_before']:.2f}\n")

    def _read(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            found = None
        ours = isinstance(found, dict) and all(
            isinstance(entry, dict) and "environment" in entry for entry in found.values()
        )
        if not ours:
            raise UserError(f"{self._path} exists and does not hold results of benchmarks")
        assert isinstance(found, dict)
        return found


def table(rows: Sequence[Sequence[str]]) -> str:
    """Lay out rows of equal length, the first one the head, as a table in Markdown."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)
