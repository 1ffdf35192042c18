"""What the figure of an evaluation depends on besides its settings."""

import time
from typing import Any

import torch

from squeezespan.environment import environment
from squeezespan.hardware import device_name, resolve_precision
from squeezespan.models.student_file import Backbone

__all__ = ["circumstances"]


def circumstances(
    backbone: Backbone,
    device: torch.device,
    precision: str,
    started: float,
) -> dict[str, Any]:
    """Give a backbone's provenance, device, time, versions and commit, ready for JSON.

    Args:
        backbone: that was evaluated.
        device: where it was evaluated.
        precision: that was asked for.
        started: when, as `time.perf_counter` gives it.
    """
    machine = environment()
    return {
        "arch": backbone.header["arch"],
        "resolution": backbone.resolution,
        "provenance": backbone.header.get("provenance"),
        "device": str(device),
        "hardware": device_name(device),
        "precision": resolve_precision(precision, device),
        "seconds": round(time.perf_counter() - started, 2),
        "date": machine["time"],
        "command": machine["command"],
        "versions": {
            "squeezespan": machine["squeezespan"],
            "python": machine["python"],
            **machine["packages"],
        },
        "commit": machine["commit"],
    }
