"""Runs of a comparison as data: trained, judged and kept one by one, by any number of processes.

Every cell has a folder of its own; a process takes a cell that no other one works on, so that two
terminals with the same command share the work. What is done stays, what was stopped goes on.
"""

import fcntl
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from squeezespan import distill
from squeezespan.config import DistillConfig, config_from_dict
from squeezespan.files import write_json
from squeezespan.presets import find_preset
from squeezespan.settings import to_dict

__all__ = ["Cell", "Changes", "last_line", "run_cells"]

Changes = Mapping[str, Mapping[str, Any]]
"""Section to the settings in it that differ from a preset's."""


@dataclass(frozen=True)
class Cell:
    """One run of a comparison."""

    name: str
    """Of its folder."""
    preset: str
    """Where its settings begin."""
    changes: tuple[Changes, ...] = ()
    """What differs, the later ones above the earlier."""
    row: Mapping[str, Any] = field(default_factory=dict)
    """What tells it from the other cells, for tables."""
    gan: str | None = None
    """Another generator than the preset's."""

    def config(self, data: str) -> DistillConfig:
        """Give the settings of the run on the images of `data`."""
        values = to_dict(find_preset(self.preset).build()) | {"data": data}
        if self.gan is not None:
            values["gan"] = self.gan
        for changes in self.changes:
            for section, settings in changes.items():
                values[section] = values[section] | settings
        return config_from_dict(values)


def run_cells(
    cells: Iterable[Cell],
    data: str,
    out: Path,
    judge: Callable[[Cell, DistillConfig, Path], Mapping[str, Any]],
    result: str,
) -> None:
    """Train and judge every cell that is not done and that no other process works on.

    Args:
        cells: in the order in which they are wanted.
        data: spec of the real images.
        out: folder of all cells.
        judge: from a cell, its settings and its finished run to what is known of it.
        result: name of the JSON file in the cell's folder that holds this.
    """
    out.mkdir(parents=True, exist_ok=True)
    for cell in cells:
        folder = out / cell.name
        with (out / f"{cell.name}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            if (folder / result).exists():
                continue
            config = cell.config(data)
            distill(config, folder, resume=True)
            found = judge(cell, config, folder)
            write_json(folder / result, {**cell.row, **found})


def last_line(folder: Path) -> dict[str, Any]:
    """Give the last line of a run's metrics that tells of training."""
    text = (folder / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    last: dict[str, Any] = [line for line in lines if line["kind"] == "train"][-1]
    return last
