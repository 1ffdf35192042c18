"""The loop of GAN training: steps, sample grids, kept generators, checkpoints and how it stops."""

import contextlib
import math
import sys
import time
from typing import Any, NoReturn, Protocol

import torch
from torch import Tensor

from squeezespan.data.order import epoch_order
from squeezespan.discriminators.files import save_discriminator
from squeezespan.environment import project_commit
from squeezespan.errors import TrainingError
from squeezespan.gan.config import GanTrainConfig
from squeezespan.gan.samples import sample_images, save_grid
from squeezespan.gan.step import GanStep
from squeezespan.generators.registry import save_generator
from squeezespan.hardware import resolve_device
from squeezespan.progress import Progress
from squeezespan.randomness import StepRandom
from squeezespan.reports.gan import write_gan_report
from squeezespan.training.checkpoint import load_newest_checkpoint, save_checkpoint
from squeezespan.training.health import check_weights
from squeezespan.training.metrics import MetricsFile
from squeezespan.training.run_folder import RunFolder
from squeezespan.training.signals import StopSignals

__all__ = ["GanTrainer", "RealImages"]

_LOG_EVERY = 100
"""Steps between lines in `metrics.jsonl`."""
_GRID_IMAGES = 100
_REAL_SHOWN = 40
_ADVICE = (
    "what was saved before is kept; start again in another --out with a lower --learning-rate or "
    "--precision fp32"
)


class RealImages(Protocol):
    """The real images, as the data room gives them."""

    labels: Tensor | None

    def __len__(self) -> int:
        """Number of images."""

    def batch(self, indices: Tensor) -> Tensor:
        """Give images, uint8 [B, 3, R, R]."""

    def fingerprint(self) -> str:
        """Give a hash of the images and their order."""


class GanTrainer:
    """Trains a GAN in a folder, from its first or any later step to the last.

    Args:
        config: the run's settings.
        images: real images of the resolution that `config` names.
        step: networks and optimizers.
        folder: the run's; it is open.
    """

    def __init__(
        self,
        config: GanTrainConfig,
        images: RealImages,
        step: GanStep,
        folder: RunFolder[GanTrainConfig],
    ) -> None:
        self.config = config
        self.images = images
        self.gan = step
        self.folder = folder
        self.out = folder.path
        self.device = resolve_device(config.train.device)
        self.total_steps = total_steps(config, len(images))
        self._step = 0
        self._seconds = 0.0
        self._numbers: dict[str, Tensor | float] = {}
        self._images_sha = images.fingerprint()
        self._epoch_order: tuple[int, Tensor] | None = None
        self._signals = StopSignals()

    def run(self) -> None:
        """Train to the last step and write `generator.safetensors`.

        Raises:
            TrainingError: a loss stopped being a finite number.
            StorageError: the disk is full.
            KeyboardInterrupt: stopped by Ctrl-C, after a checkpoint.
            SystemExit: stopped by SIGTERM (code 143), after a checkpoint.
        """
        with contextlib.closing(self._restore()) as metrics:
            self._train(metrics)

    def _train(self, metrics: MetricsFile) -> None:
        batch = self.config.train.batch_size
        progress = Progress(
            self.total_steps * batch,
            unit="img",
            description="gan",
            initial=self._step * batch,
        )
        saved = time.monotonic()
        with self._signals, progress:
            while self._step < self.total_steps:
                began = time.monotonic()
                # Lazy terms keep their last value.
                self._numbers |= self.gan.run(self._step, *self._real_batch(self._step))
                self._step += 1
                self._seconds += time.monotonic() - began
                shown = self._log(metrics)
                progress.update(batch, **shown)
                if self._crosses(self.config.train.snapshot_kimg):
                    self._keep()
                stops = bool(self._signals.received)
                minutes = (time.monotonic() - saved) / 60
                if stops or minutes >= self.config.train.checkpoint_minutes:
                    self._save(metrics)
                    saved = time.monotonic()
                if stops:
                    self._stop()
        self._save(metrics)
        self._keep()
        provenance = self._provenance()
        save_discriminator(
            self.out / "discriminator.safetensors", self.gan.discriminator, provenance
        )
        save_generator(self.folder.result, self.gan.average, provenance)

    def _restore(self) -> MetricsFile:
        found = load_newest_checkpoint(self.folder.checkpoints)
        position = 0
        if found is not None:
            self._step, state = found
            what = f"{self.config.data} has other images than those"
            self.folder.check_input(what, state["images"], self._images_sha)
            self.gan.load(state["gan"])
            self._numbers = dict(state["numbers"])
            self._seconds = state["seconds"]
            position = state["metrics_bytes"]
        return MetricsFile(self.folder.metrics, position)

    def _real_batch(self, step: int) -> tuple[Tensor, Tensor | None]:
        """The real images of a step in [-1, 1] and their labels; a pure function of the step."""
        batch, n = self.config.train.batch_size, len(self.images)
        positions = torch.arange(step * batch, (step + 1) * batch)
        epochs = positions // n
        indices = torch.cat(
            [
                self._order(epoch)[positions[epochs == epoch] % n]
                for epoch in sorted(set(epochs.tolist()))
            ]
        )
        real = self.images.batch(indices).to(self.device).float() / 127.5 - 1
        if self.config.mirror:
            random = StepRandom(self.config.train.seed, step, stream="mirror", device=self.device)
            flips = random.uniform(batch) < 0.5
            real = torch.where(flips[:, None, None, None], real.flip(3), real)
        if not self.config.conditional or self.images.labels is None:
            return real, None
        return real, self.images.labels[indices].to(self.device)

    def _order(self, epoch: int) -> Tensor:
        if self._epoch_order is None or self._epoch_order[0] != epoch:
            order = epoch_order(len(self.images), epoch, self.config.train.seed)
            self._epoch_order = (epoch, order)
        return self._epoch_order[1]

    def _log(self, metrics: MetricsFile) -> dict[str, float]:
        due = self._step % _LOG_EVERY == 0 or self._step == self.total_steps
        if not due:
            return {}
        values = self._finite_numbers()
        record = {
            "step": self._step,
            "kimg": self._kimg(),
            "seconds": round(self._seconds, 1),
            "kimg_per_second": round(self._kimg_per_second(), 5),
            **{name: round(value, 5) for name, value in values.items()},
        }
        metrics.write(record)
        losses = {"G": "loss/generator", "D": "loss/discriminator"}
        shown = {letter: values[name] for letter, name in losses.items() if name in values}
        return {"kimg/s": self._kimg_per_second(), **shown}

    def _finite_numbers(self) -> dict[str, float]:
        values = {name: float(value) for name, value in self._numbers.items()}
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            raise TrainingError(
                f"{bad[0]} stopped being a finite number by step {self._step}; {_ADVICE}"
            )
        return values

    def _crosses(self, kimg: float) -> bool:
        """Tell whether the last step went over a multiple of `kimg` thousand images."""
        batch = self.config.train.batch_size
        return self._step * batch // (kimg * 1000) > (self._step - 1) * batch // (kimg * 1000)

    def _keep(self) -> None:
        """Keep this moment's averaged generator and a grid of its images; renew the report."""
        kimg = self._kimg()
        # Moments less than a thousand images apart need names of their own.
        name = f"{kimg:010.3f}" if self.config.train.snapshot_kimg < 1 else f"{round(kimg):06d}"
        images = sample_images(self.gan.average, _GRID_IMAGES)
        save_grid(self.out / "samples" / f"{name}.png", images)
        path = self.out / "snapshots" / f"generator-{name}.safetensors"
        save_generator(path, self.gan.average, self._provenance())
        chosen = torch.randperm(len(self.images), generator=torch.Generator().manual_seed(0))
        shown = self.images.batch(chosen[:_REAL_SHOWN]).cpu()
        write_gan_report(self.out, shown)

    def _save(self, metrics: MetricsFile) -> None:
        numbers = self._finite_numbers()
        for network in (self.gan.average, self.gan.generator, self.gan.discriminator):
            check_weights(self._step, network.state_dict().values(), _ADVICE)
        state = {
            "gan": self.gan.state(),
            "images": self._images_sha,
            "numbers": numbers,
            "seconds": self._seconds,
            "metrics_bytes": metrics.position(),
        }
        save_checkpoint(self.folder.checkpoints, self._step, state)

    def _stop(self) -> NoReturn:
        print(
            f"stopped at {self._kimg():.1f} kimg; a checkpoint is written, continue with --resume",
            file=sys.stderr,
        )
        self._signals.end_process()

    def _kimg_per_second(self) -> float:
        """Since the run began; grids and checkpoints do not count."""
        return self._kimg() / max(self._seconds, 1e-9)

    def _kimg(self) -> float:
        return self._step * self.config.train.batch_size / 1000

    def _provenance(self) -> dict[str, Any]:
        started = {"init": self.gan.origin} if self.gan.origin else {}
        return {
            "data": self.config.data,
            "mirror": self.config.mirror,
            "kimg": self._kimg(),
            "total_kimg": round(self._kimg() + (self.gan.origin.get("kimg") or 0), 3),
            **started,
            "seed": self.config.train.seed,
            "seconds": round(self._seconds),
            "device": str(self.device),
            "commit": project_commit(),
            "torch": torch.__version__,
        }


def total_steps(config: GanTrainConfig, num_images: int) -> int:
    """Give the number of steps of a run on `num_images` images."""
    train = config.train
    images = train.kimg * 1000 if train.epochs is None else train.epochs * num_images
    steps = max(math.ceil(images / train.batch_size), 1)
    return steps if train.max_steps is None else min(steps, train.max_steps)
