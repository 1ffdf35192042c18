"""Our training step, as `squeezespan distill` does it."""

from typing import Any

import torch
from measure.timing import Clock
from torch import nn

from squeezespan.data.images import ResidentImages
from squeezespan.distillation.optimizer import build_optimizer
from squeezespan.distillation.schedule import plan_run
from squeezespan.distillation.stream import Place, Stream, Views
from squeezespan.hardware import resolve_precision
from squeezespan.runs.launch import launch
from steps.setting import NORMALIZATION, PARTS, Setting

__all__ = ["OurStep"]


class OurStep:
    """Dense modulated convolution, channels-last, `--precision auto`, batched augmentation.

    Args:
        setting: sizes of the step.
    """

    def __init__(self, setting: Setting) -> None:
        config = setting.config("auto")
        # Sets up Fabric, precision and the process's memory as a run does.
        self._fabric = launch(config.train)
        device = self._fabric.device
        generator = setting.generator().to(memory_format=torch.channels_last)
        if resolve_precision("auto", device) == "bf16":
            generator.set_compute_dtype(torch.bfloat16)
        images = ResidentImages("random", [], None, setting.pixels().to(device))
        method = setting.method(generator).to(memory_format=torch.channels_last)
        self._stream = Stream(
            config,
            plan_run(config, len(images), world_size=1),
            images,
            generator,
            NORMALIZATION,
            Place(0, 1, device),
            views=Views(method.real_views, method.synthetic_views),
            needs_source=method.needs_source,
        )
        optimizer = build_optimizer(method, config.optim, config.optim.base_lr)
        self._module, self._optimizer = self._fabric.setup(method, optimizer)
        self._clock = Clock(device)
        self._seconds = dict.fromkeys(PARTS, 0.0)
        self._step = 0
        generator.register_forward_pre_hook(self._before_generator)
        generator.register_forward_hook(self._after_generator)

    def run(self) -> dict[str, float]:
        """Do one step and give the seconds of its parts."""
        self._seconds = dict.fromkeys(PARTS, 0.0)
        self._clock.look()
        batch = self._stream.batch(self._step)
        self._seconds["augmentation"] += self._clock.look()
        losses = self._module(batch)
        self._fabric.backward(losses["loss"])
        self._seconds["student"] = self._clock.look()
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._seconds["optimizer"] = self._clock.look()
        self._step += 1
        return self._seconds

    def _before_generator(self, module: nn.Module, arguments: Any) -> None:
        self._seconds["augmentation"] += self._clock.look()

    def _after_generator(self, module: nn.Module, arguments: Any, output: Any) -> None:
        self._seconds["generator"] = self._clock.look()
