"""What a run ran on: versions, machine, commit, time and command line, for `environment.json`."""

import os
import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from squeezespan import __version__
from squeezespan.hardware import cpu_flags, cpu_name

__all__ = ["environment", "project_commit"]

_PACKAGES = (
    "torch",
    "torchvision",
    "timm",
    "lightning-fabric",
    "numpy",
    "safetensors",
    "scikit-learn",
)
_NOTABLE_CPU_FLAGS = ("amx_bf16", "amx_int8", "avx512_bf16", "avx512f", "avx2")
_CHECKOUT = Path(__file__).resolve().parents[2]


def environment() -> dict[str, Any]:
    """Describe the software and the machine of this process.

    Returns:
        Strings, numbers, lists and dicts, ready for JSON.
    """
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": _command_line(),
        "squeezespan": __version__,
        "commit": project_commit(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "os": platform.platform(),
        "cpu": {
            "name": cpu_name(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "flags": [flag for flag in _NOTABLE_CPU_FLAGS if flag in cpu_flags()],
        },
        "gpus": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "cuda": torch.version.cuda,
    }


def project_commit() -> str | None:
    """Give the commit of the checkout that this package runs from.

    Returns:
        The full hash, with "-dirty" behind it where tracked files differ from it; None where the
        package was installed from a wheel or git is missing.
    """
    if not (_CHECKOUT / ".git").exists():
        return None
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return None
    return f"{commit}-dirty" if _git("status", "--porcelain", "--untracked-files=no") else commit


def _command_line() -> str:
    """Give how this process was started, without the folder of the program."""
    program = Path(sys.argv[0]).name
    if program == "__main__.py":
        program = "squeezespan"
    return shlex.join([program, *sys.argv[1:]])


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str:
    """Run git in the checkout; an empty string if it fails."""
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=_CHECKOUT,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
