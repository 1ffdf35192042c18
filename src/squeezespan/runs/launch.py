"""Starting Lightning Fabric on what the settings and the launcher (torchrun, SLURM) say."""

import atexit
import os
from collections.abc import Callable
from typing import Any, Literal, Protocol, TypeVar

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision, Precision
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning_fabric.strategies.ddp import DDPStrategy

from squeezespan.errors import StorageError, UserError
from squeezespan.hardware import resolve_device, resolve_precision
from squeezespan.runs.memory import keep_freed_memory

__all__ = ["launch", "on_main_process"]

Result = TypeVar("Result")


class Launched(Protocol):
    """The settings that a launch depends on."""

    @property
    def device(self) -> str:
        """As `resolve_device` takes it."""

    @property
    def precision(self) -> str:
        """As `resolve_precision` takes it."""


class _Autocast(MixedPrecision):
    """Mixed precision that leaves inputs alone: targets taken from the generator stay float32."""

    def convert_input(self, data: Any) -> Any:
        return data


def launch(train: Launched) -> Fabric:
    """Start Fabric on this process, which torchrun or srun may have started beside others.

    Args:
        train: its device and precision; `auto` takes what this machine is good at.

    Raises:
        UserError: a device that is not there, or a precision that it cannot compute in.
    """
    device = resolve_device(train.device)
    precision = resolve_precision(train.precision, device)
    environment, per_node, nodes = _environment()
    if device.type == "cuda":
        # Every step has the same shapes, so that it pays to look for the fastest convolution.
        torch.backends.cudnn.benchmark = True
    if device.type == "cpu":
        keep_freed_memory()
    fabric = Fabric(
        accelerator=device.type,
        devices=[device.index] if per_node == 1 and device.index is not None else per_node,
        num_nodes=nodes,
        # BatchNorm is synchronised, so that its buffers are equal without a broadcast.
        strategy=DDPStrategy(broadcast_buffers=False) if per_node * nodes > 1 else "auto",
        plugins=[environment, _precision(precision, device.type)],
    )
    fabric.launch()
    if fabric.world_size > 1:
        atexit.register(_leave_process_group)
    return fabric


def on_main_process(fabric: Fabric, action: Callable[[], Result]) -> Result:
    """Run `action` on the first process and give its result to all.

    A UserError or StorageError of the first process is raised on all of them, so that none waits
    for the others.
    """
    outcome: tuple[str, Any] = ("", None)
    if fabric.is_global_zero:
        try:
            outcome = ("done", action())
        except (UserError, StorageError) as error:
            if fabric.world_size == 1:
                raise
            outcome = (type(error).__name__, str(error))
    kind, value = fabric.broadcast(outcome) if fabric.world_size > 1 else outcome
    if kind == "UserError":
        raise UserError(value)
    if kind == "StorageError":
        raise StorageError(value)
    result: Result = value
    return result


def _leave_process_group() -> None:
    """End the threads of the process group; gloo aborts an interpreter that ends under them.

    Fabric does so for NCCL only.
    """
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _precision(precision: Literal["fp32", "bf16", "fp16"], device: str) -> Precision:
    if precision == "fp32":
        return Precision()
    return _Autocast("bf16-mixed" if precision == "bf16" else "16-mixed", device)


def _environment() -> tuple[ClusterEnvironment, int, int]:
    """Give the launcher, the processes it started on this node, and the number of nodes."""
    if TorchElasticEnvironment.detect():
        world, local = int(os.environ["WORLD_SIZE"]), int(os.environ["LOCAL_WORLD_SIZE"])
        return TorchElasticEnvironment(), local, world // local
    # Only srun sets this; a script that sbatch runs without srun is one process.
    tasks = int(os.environ.get("SLURM_STEP_NUM_TASKS", "1"))
    if tasks > 1:
        nodes = int(os.environ["SLURM_STEP_NUM_NODES"])
        return SLURMEnvironment(auto_requeue=False), tasks // nodes, nodes
    return LightningEnvironment(), 1, 1
