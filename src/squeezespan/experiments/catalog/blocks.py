"""Table 6 of the appendix: which of the generator's blocks teach."""

from squeezespan.experiments.catalog import arms
from squeezespan.experiments.experiment import Arm, Claim, Experiment

__all__ = ["TABLE6"]


def _arm(first: str, last: str) -> Arm:
    blocks = f"{first}-{last}"
    return Arm(
        blocks,
        f"blocks {blocks}",
        f"squeeze-{blocks}-paper-mini",
        f"squeeze-{blocks}-{{data}}",
        needs=(first, last),
    )


TABLE6 = Experiment(
    "table6",
    "The generator's blocks (Table 6 of the appendix)",
    "Squeeze with the features of some resolutions only. Blocks that a generator hasn't are left "
    "out.",
    (_arm("b4", "b8"), _arm("b16", "b32"), _arm("b64", "b128"), arms.SQUEEZE),
    claims=(
        Claim("All blocks are above b16-b32", "squeeze", "b16-b32"),
        Claim("All blocks are above b4-b8", "squeeze", "b4-b8"),
        Claim("b4-b8 is above b16-b32", "b4-b8", "b16-b32"),
    ),
    paper={
        "b4-b8": {"cifar10": 87.05, "cifar100": 57.51, "stl10": 74.05},
        "b16-b32": {"cifar10": 87.08, "cifar100": 55.43, "stl10": 73.43},
        "b64-b128": {"stl10": 73.08},
        "squeeze": {"cifar10": 87.67, "cifar100": 57.35, "stl10": 76.83},
    },
)
