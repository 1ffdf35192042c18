"""What a process knows after some steps of GAN training, and that it is what another one knows."""

from torch import Tensor

from squeezespan.gan.batches import RealBatches
from squeezespan.gan.projected_step import AnyStep

__all__ = ["assert_same", "known_after"]


def known_after(steps: int, gan: AnyStep, batches: RealBatches) -> dict[str, Tensor]:
    """Train, and give numbers, gradients and the states of all networks by name."""
    known: dict[str, Tensor] = {}
    for step in range(steps):
        numbers = gan.run(step, *batches.batch(step, gan.rows()))
        known |= {f"{name} of step {step}": number for name, number in numbers.items()}
    for name in ("generator", "discriminator"):
        optimizer = getattr(gan, f"{name}_optimizer")
        for number, state in optimizer.state_dict()["state"].items():
            # Without momentum, the first moment is the gradient of the last step.
            known[f"gradient {number} of the {name}"] = state["exp_avg"]
            known[f"second moment {number} of the {name}"] = state["exp_avg_sq"]
    for number, network in enumerate(gan.networks()):
        for name, weight in network.state_dict().items():
            known[f"{name} of network {number}"] = weight
    return known


def assert_same(found: dict[str, Tensor], whole: dict[str, Tensor]) -> None:
    """Compare all that two processes know, up to rounding."""
    assert found.keys() == whole.keys()
    for name, expected in whole.items():
        error = float((found[name] - expected).abs().max())
        scale = float(expected.abs().max())
        assert error <= 2e-4 * scale + 1e-6, (name, error, scale)
