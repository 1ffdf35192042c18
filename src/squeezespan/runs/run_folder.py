"""The folder of a run: what is in it, who may write to it, and whether it can be continued."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar

from squeezespan.data.specs import place_of
from squeezespan.environment import environment
from squeezespan.errors import UserError
from squeezespan.files import check_writable, write_json
from squeezespan.hardware import resolve_device, resolve_precision
from squeezespan.runs.lock import FolderLock
from squeezespan.settings import as_flag, flatten, to_dict
from squeezespan.untrusted.safetensors import read_network

__all__ = ["MAY_DIFFER", "RunFolder", "RunState", "is_finished_network"]

Settings = TypeVar("Settings", bound=Any)

MAY_DIFFER = {
    "train.device",
    "train.num_workers",
    "train.checkpoint_minutes",
    "monitor.loggers",
    "monitor.log_every",
}
"""Settings that a continued run may change, because its weights don't depend on them."""


def is_finished_network(kind: str, path: Path) -> bool:
    """Tell whether a network's file is that of a run's last step; a damaged one is not.

    Args:
        kind: of network that the file holds, as its header says.
        path: the file.
    """
    try:
        header = read_network(path, kind)[1]
    except UserError:
        return False
    return bool(header.get("provenance", {}).get("finished", True))


class RunState(Enum):
    """What a folder holds."""

    NEW = "nothing"
    STARTED = "a run to continue"
    FINISHED = "a run that is done"


class RunFolder(Generic[Settings]):
    """Names of a run's files, and the lock that keeps a second process from writing them.

    Args:
        path: the folder; nothing is made before `open`.
        load: reads a `config.json` of this kind of run; what it gives has the data spec as `data`.
        kind: what such a run is called.
        result: name of the file that a finished run leaves.
        leaves: names of what else it leaves, besides what every run has.
        may_differ: further settings that a continued run of this kind may change.
        is_finished: tells whether the result is that of the whole run, not of one on its way.
    """

    def __init__(
        self,
        path: Path,
        load: Callable[[Path], Settings],
        kind: str,
        result: str,
        leaves: tuple[str, ...] = (),
        may_differ: frozenset[str] = frozenset(),
        is_finished: Callable[[Path], bool] = Path.exists,
    ) -> None:
        self.path = path
        self._load = load
        self._kind = kind
        self._leaves = leaves
        self._may_differ = MAY_DIFFER | may_differ
        self._is_finished = is_finished
        self.config = path / "config.json"
        self.metrics = path / "metrics.jsonl"
        self.checkpoints = path / "checkpoints"
        self.result = path / result
        self.environment = path / "environment.json"
        self._lock = FolderLock(path)

    def check_inputs(
        self,
        saved: Mapping[str, str | None],
        now: Mapping[str, str | None],
        named: Mapping[str, str],
    ) -> None:
        """Make sure that a run goes on with the inputs that it was started with.

        Args:
            saved: hashes of the inputs in the checkpoint, by name.
            now: their hashes today.
            named: by name, `FILE is another file than the one`, or the like.

        Raises:
            UserError: one differs, or is there no more.
        """
        for name, what in named.items():
            if saved.get(name) != now.get(name):
                raise UserError(
                    f"cannot resume {self.path}: {what} that the run was started with; put it "
                    "back, or choose another --out"
                )

    def check(self, config: Settings, *, resume: bool) -> RunState:
        """Settle, without writing, whether a run with these settings may go on in the folder.

        Args:
            config: settings of the run, with its precision resolved.
            resume: whether to continue a run in the folder; a folder without one is fine, too, so
                that a script which is started again and again needs no case of its own.

        Raises:
            UserError: the folder holds another run, or the run to resume has other settings (the
                message names one).
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserError(f"{self.path} is a file; --out must name a folder")
        found = self._artefacts()
        if found and not resume:
            raise UserError(
                f"{self.path} already holds a run ({found[0].name}); "
                "continue it with --resume or choose another --out"
            )
        if not self.config.exists():
            self._check_place(config.data)
            if found:
                raise UserError(
                    f"{self.path} has {found[0].name} but no config.json, so its run cannot be "
                    "continued; choose another --out"
                )
            return RunState.NEW
        self._check_same(self.saved(), config)
        whole = self.result.exists() and self._is_finished(self.result)
        return RunState.FINISHED if whole else RunState.STARTED

    def open(self, config: Settings, *, resume: bool) -> RunState:
        """Lock the folder for this process, check it, and write a new run's `config.json`.

        Raises:
            UserError: as `check`; or another process is writing to the folder, or it cannot be
                written.
            StorageError: the disk is full.
        """
        self._lock.take()
        try:
            state = self.check(config, resume=resume)
            if state is RunState.NEW:
                write_json(self.config, to_dict(config))
        except BaseException:
            self.close()
            raise
        return state

    def describe_state(self) -> str:
        """Say whether the run in the folder is finished, going on in some process, or stopped."""
        if self.result.exists() and self._is_finished(self.result):
            return "finished"
        return "stopped" if self._lock.is_free() else "going on"

    def record_environment(self, device: str, processes: int = 1) -> None:
        """Write what the run runs on; a resumed run adds to what it ran on before.

        Raises:
            StorageError: the disk is full.
        """
        file = self.environment
        sessions = json.loads(file.read_text(encoding="utf-8"))["sessions"] if file.exists() else []
        session = environment() | {"device": device, "processes": processes}
        write_json(file, {"sessions": [*sessions, session]})

    def close(self) -> None:
        """Let other processes write to the folder."""
        self._lock.release()

    def _artefacts(self) -> list[Path]:
        files = (self.config, self.metrics, self.checkpoints, self.result, self.environment)
        others = [self.path / name for name in self._leaves]
        return [file for file in (*files, *others) if file.exists()]

    def saved(self) -> Settings:
        """Read the settings of the run in the folder.

        Raises:
            UserError: it holds no run of this kind.
        """
        try:
            return self._load(self.config)
        except UserError as error:
            raise UserError(
                f"{self.path} does not hold a {self._kind} that can be continued: {error}"
            ) from error

    def settle(self, config: Settings, *, resume: bool) -> Settings:
        """Put the precision in the place of `auto`: it decides on the weights, unlike the device.

        What is `auto` in a resumed run is as it was when the run was started.
        """
        if resume and self.config.exists():
            config = self._as_started(config, self.saved(), "")
        precision = resolve_precision(config.train.precision, resolve_device(config.train.device))
        train = dataclasses.replace(config.train, precision=precision)
        return dataclasses.replace(config, train=train)

    def _as_started(self, now: Any, saved: Any, section: str) -> Any:
        """Take what is `auto` in settings from those that the run was started with."""
        changes: dict[str, Any] = {}
        for field in dataclasses.fields(now):
            value, before = getattr(now, field.name), getattr(saved, field.name)
            name = f"{section}{field.name}"
            if dataclasses.is_dataclass(value):
                changes[field.name] = self._as_started(value, before, f"{name}.")
            elif value == "auto" and name not in self._may_differ:
                changes[field.name] = before
        return dataclasses.replace(now, **changes)

    def _check_place(self, data: str) -> None:
        """Keep a new run out of its own images, which it would become one of."""
        check_writable(self.path, "--out")
        images = place_of(data)
        if images is None or not images.is_dir():
            return
        here, images = self.path.resolve(), images.resolve()
        if here.is_relative_to(images):
            raise UserError(f"{self.path} is in the folder of {data}; choose another --out")

    def _check_same(self, saved: Settings, config: Settings) -> None:
        now = flatten(config)
        for name, value in flatten(saved).items():
            if name not in self._may_differ and now[name] != value:
                raise UserError(
                    f"cannot resume {self.path}: {as_flag(name)} is {now[name]!r}, but the run was "
                    f"started with {value!r}; give the same settings or choose another --out"
                )
