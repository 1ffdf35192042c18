"""An experiment so small that a training of it takes a second."""

from squeezespan.experiments.experiment import Arm, Changes, Claim, Experiment

__all__ = ["SMALL", "TINY"]

SMALL: Changes = {
    "train": {"batch_size": 16},
    "images": {"resolution": 16},
    "method": {"projector_layers": 1},
    "source": {"statistics_images": 20},
    "monitor": {"knn_every": 1, "knn_k": 5, "log_every": 1},
}
TINY = Experiment(
    "tiny",
    "A tiny table",
    "For tests.",
    (
        Arm("vicreg", "VICReg", "vicreg-real-mini", "vicreg-real-{data}", SMALL),
        Arm("squeeze", "Squeeze", "squeeze-mini", "squeeze-{data}", SMALL),
    ),
    protocols=("knn", "logistic"),
    steps=2,
    claims=(Claim("Squeeze is above VICReg", "squeeze", "vicreg"),),
    paper={"squeeze": {"four": 87.67}},
)
