"""Which device and precision a run uses, and what this machine is good at."""

import functools
import platform
import resource
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import torch

from squeezespan.errors import UserError

__all__ = [
    "DTYPES",
    "ResolvedPrecision",
    "autocast",
    "cpu_flags",
    "cpu_name",
    "device_name",
    "has_plain_bf16",
    "peak_memory",
    "resolve_device",
    "resolve_precision",
]

ResolvedPrecision = Literal["fp32", "bf16", "fp16"]

DTYPES: dict[str, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
"""Resolved precision to the type of numbers that is computed with."""

_CPUINFO = Path("/proc/cpuinfo")
_FAST_BF16_FLAGS = {"amx_bf16", "avx512_bf16"}


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """Autocast to `dtype`; float32 shields from a caller's autocast.

    Nothing is computed on the meta device, for which torch has no autocast.
    """
    if device.type == "meta":
        return nullcontext()
    return torch.autocast(device.type, dtype, enabled=dtype != torch.float32)


def resolve_device(name: str) -> torch.device:
    """Turn what the user asked for into a device that is there.

    Args:
        name: "auto" (CUDA where there is one, else the CPU), or a device as torch names it, such
            as "cpu", "cuda", "cuda:1" or "mps". MPS is never chosen by "auto".

    Raises:
        UserError: not the name of a device, or one that this machine lacks.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise UserError(f"unknown device {name!r}: give auto, cpu, cuda, cuda:N or mps")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UserError("device mps is not available here; give auto or cpu")
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if not count:
            raise UserError(f"device {name} is not available: torch finds no GPU; give auto or cpu")
        if (device.index or 0) >= count:
            raise UserError(f"device {name} is not available: the last GPU is cuda:{count - 1}")
    return device


def resolve_precision(name: str, device: torch.device) -> ResolvedPrecision:
    """Turn what the user asked for into a precision that the device can compute in.

    Args:
        name: "fp32", "bf16", "fp16", or "auto": bf16 where the hardware computes in it natively
            (CUDA from Ampere on, CPUs with AMX or AVX-512 BF16), else fp32.
        device: where the run computes.

    Raises:
        UserError: not the name of a precision, or one that the device lacks.
    """
    if name == "auto":
        return "bf16" if _has_native_bf16(device) else "fp32"
    if name == "fp16":
        if device.type == "cpu":
            raise UserError("precision fp16 needs a GPU; on a CPU give auto, bf16 or fp32")
        return "fp16"
    if name == "bf16":
        if device.type == "cuda" and not _has_native_bf16(device):
            raise UserError("this GPU has no bf16; give auto, fp16 or fp32")
        return "bf16"
    if name == "fp32":
        return "fp32"
    raise UserError(f"unknown precision {name!r}: give auto, fp32, bf16 or fp16")


def cpu_flags() -> frozenset[str]:
    """Give the instruction sets that the CPU reports (Linux on x86; empty elsewhere)."""
    return frozenset(_cpuinfo("flags").split())


def cpu_name() -> str:
    """Give the model of the CPU as the machine reports it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def device_name(device: torch.device) -> str:
    """Give the model of the GPU that `device` is, or of the CPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else cpu_name()


@functools.cache
def has_plain_bf16() -> bool:
    """Tell whether the CPU computes bf16 in vectors only (AVX-512 BF16 without AMX).

    There a convolution costs what its products cost, and fewer or better arranged products pay.
    """
    return "avx512_bf16" in cpu_flags() and "amx_bf16" not in cpu_flags()


def _has_native_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return major >= 8 or torch.version.hip is not None
    return device.type == "cpu" and not _FAST_BF16_FLAGS.isdisjoint(cpu_flags())


@functools.cache
def _cpuinfo(key: str) -> str:
    """Read the first entry of `key` in /proc/cpuinfo, an empty string if there is none."""
    if not _CPUINFO.is_file():
        return ""
    for line in _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return ""


def peak_memory(device: torch.device) -> int:
    """Give the most bytes that this process has held; on a GPU, that torch has allocated there.

    Args:
        device: whose memory.
    """
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    # Kilobytes, but on macOS.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
