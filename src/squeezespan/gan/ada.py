"""The controller of adaptive discriminator augmentation (Karras et al. 2020, Section 3)."""

from dataclasses import dataclass

from squeezespan.gan.config import GanAugmentConfig

__all__ = ["AdaptiveProbability"]


@dataclass
class AdaptiveProbability:
    """Raises p while the discriminator is too sure of real images, lowers it otherwise."""

    config: GanAugmentConfig
    p: float
    sign_sum: float = 0.0
    sign_count: int = 0
    overfitting: float = 0.0
    """r_t of the last adjustment: mean sign of D on real images."""

    @classmethod
    def start(cls, config: GanAugmentConfig) -> "AdaptiveProbability":
        """The controller at the start of a run; p stays 0 where augmentation is off."""
        return cls(config, config.initial if config.enabled else 0.0)

    def observe(self, sign_sum: float, count: int) -> None:
        """Add the signs of D's logits on `count` real images."""
        self.sign_sum += sign_sum
        self.sign_count += count

    def adjust(self, step: int, batch_size: int) -> None:
        """After every `interval` steps, move p towards the target."""
        if (step + 1) % self.config.interval or not self.sign_count:
            return
        self.overfitting = self.sign_sum / self.sign_count
        self.sign_sum, self.sign_count = 0.0, 0
        if not self.config.enabled:
            return
        stride = batch_size * self.config.interval / (self.config.speed_kimg * 1000)
        direction = 1 if self.overfitting > self.config.target else -1
        self.p = min(max(self.p + direction * stride, 0.0), 1.0)

    def state(self) -> dict[str, float | int]:
        """What a checkpoint keeps."""
        return {
            "p": self.p,
            "sign_sum": self.sign_sum,
            "sign_count": self.sign_count,
            "overfitting": self.overfitting,
        }

    def load(self, state: dict[str, float | int]) -> None:
        """Take up a checkpoint's state."""
        self.p = float(state["p"])
        self.sign_sum = float(state["sign_sum"])
        self.sign_count = int(state["sign_count"])
        self.overfitting = float(state["overfitting"])
