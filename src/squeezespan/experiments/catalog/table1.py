"""Table 1 of the paper: what is transferred, and how."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Claim, Experiment

__all__ = ["TABLE1"]


def _direct(key: str, title: str) -> Arm:
    return Arm(key, title, "", "", direct=key)


def _latent(method: Arm) -> Arm:
    name = method.key
    title = f"latent: {method.title}"
    return Arm(f"latent-{name}", title, f"{name}-latent-paper-mini", f"{name}-latent-{{data}}")


TABLE1 = Experiment(
    "table1",
    "Ways to transfer what a GAN knows (the paper's Table 1)",
    "Discriminator, latent and features as sources; direct use, encoding, vanilla distillation, "
    "squeeze, squeeze and span as transfers.",
    (
        _direct("discriminator", "discriminator: last hidden layer"),
        _direct("discriminator-multi", "discriminator: several layers"),
        Arm(
            "encoding-syn",
            "latent: encoding, synthetic",
            "encoding-syn-mini",
            "encoding-syn-{data}",
        ),
        Arm(
            "encoding-mixed",
            "latent: encoding, both",
            "encoding-mixed-mini",
            "encoding-mixed-{data}",
        ),
        Arm(
            "latent-vanilla",
            "latent: vanilla distillation",
            "vanilla-latent-mini",
            "vanilla-latent-{data}",
        ),
        _latent(arms.SQUEEZE),
        _latent(arms.SQUEEZE_SPAN),
        Arm("vanilla", "features: vanilla distillation", "vanilla-mini", "vanilla-{data}"),
        arms.SQUEEZE,
        arms.SQUEEZE_STANDARDIZED,
        arms.SQUEEZE_SPAN,
        arms.SQUEEZE_SPAN_STANDARDIZED,
    ),
    claims=(
        Claim("Squeeze is above vanilla distillation, of features", "squeeze", "vanilla"),
        Claim("Squeeze is above it, of latents", "latent-squeeze", "latent-vanilla"),
        Claim("Span adds, to features", "squeeze-span", "squeeze"),
        Claim("Span adds, to latents", "latent-squeeze-span", "latent-squeeze"),
        Claim("Features are above latents", "squeeze-span", "latent-squeeze-span"),
        Claim("Distillation is above encoding", "latent-vanilla", "encoding-syn"),
        Claim("Squeeze is above the discriminator", "squeeze", "discriminator-multi"),
    ),
    paper={
        "discriminator": {"cifar10": 63.81, "cifar100": 30.11},
        "discriminator-multi": {"cifar10": 77.58, "cifar100": 51.63},
        "encoding-syn": {"cifar10": 57.15, "cifar100": 32.19},
        "encoding-mixed": {"cifar10": 50.27, "cifar100": 28.43},
        "latent-vanilla": {"cifar10": 84.84, "cifar100": 53.26},
        "latent-squeeze": {"cifar10": 86.99, "cifar100": 58.56},
        "latent-squeeze-span": {"cifar10": 90.95, "cifar100": 66.17},
        "vanilla": {"cifar10": 84.48, "cifar100": 52.77},
        "squeeze": {"cifar10": 87.67, "cifar100": 57.35},
        "squeeze-span": {"cifar10": 92.54, "cifar100": 67.87},
    },
)
