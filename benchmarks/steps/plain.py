"""The same training step, written the plain way."""

import torch
from measure.timing import Clock

from squeezespan.generators.blocks import pool_features
from squeezespan.methods.base import Batch
from squeezespan.randomness import StepRandom
from squeezespan.runs.memory import keep_freed_memory
from steps.grouped_stylegan2 import GroupedStyleGAN2
from steps.pil_views import PilViews, TwoViews, loop
from steps.setting import NORMALIZATION, Setting

__all__ = ["PlainStep"]


class PlainStep:
    """Grouped modulated convolution, float32, contiguous, augmentation by PIL one image at a time.

    Student, squeeze module, losses and the optimizer's settings are ours. Real images are
    augmented in a data loader's workers; the synthetic ones, which do not exist
    before the step, in the step.

    Args:
        setting: sizes of the step.
        keep_memory: set up the process's memory as our step does.
    """

    def __init__(self, setting: Setting, keep_memory: bool = False) -> None:
        if keep_memory:
            keep_freed_memory()
        self._device = torch.device(setting.device)
        self._generator = setting.generator()
        self._synthesise = GroupedStyleGAN2(self._generator)
        self._method = setting.method(self._generator)
        optim = setting.config("fp32").optim
        self._optimizer = torch.optim.SGD(
            self._method.parameters(),
            lr=optim.base_lr,
            momentum=optim.momentum,
            weight_decay=optim.weight_decay,
        )
        self._views = PilViews(NORMALIZATION)
        self._half = setting.batch_size // 2
        images = TwoViews(setting.pixels(), self._views)
        self._real = loop(images, self._half, setting.workers)
        self._random = StepRandom(setting.seed, device=self._device)

    def run(self) -> dict[str, float]:
        """Do one step and give the seconds of its parts."""
        seconds: dict[str, float] = {}
        clock = Clock(self._device)
        latents = self._generator.sample_latents(self._half, self._random)
        generated = self._synthesise(latents, self._random)
        seconds["generator"] = clock.look()
        first, second = next(self._real)
        synthetic = self._views(((generated.images + 1) / 2).clamp(0, 1).cpu())
        batch = Batch(
            real_views=(first.to(self._device), second.to(self._device)),
            synthetic_views=(synthetic.to(self._device),),
            source=pool_features(generated.features, list(generated.features)),
        )
        seconds["augmentation"] = clock.look()
        losses = self._method(batch)
        losses["loss"].backward()
        seconds["student"] = clock.look()
        self._optimizer.step()
        self._optimizer.zero_grad()
        seconds["optimizer"] = clock.look()
        return seconds
