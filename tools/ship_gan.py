"""Make a trained generator the one that the package ships as `builtin:stylegan2-cifar10`.

    python tools/ship_gan.py runs/gan/generator.safetensors --score score.json --commit HASH

The score is what `squeezespan gan score --json` wrote for the same file; it goes into the header
with the data set in words, the commit that trained the generator and the machine.
"""

import argparse
import json
from importlib import resources
from pathlib import Path

from squeezespan.errors import UserError
from squeezespan.generators import load_generator, read_generator_header, save_generator
from squeezespan.generators.registry import BUILTIN
from squeezespan.hardware import cpu_name

_DATA = "CIFAR-10 (JPEG), train split, 50,000 images, without labels"
_SCORE = (
    "frechet_efficientnet_lite0",
    "kernel_efficientnet_lite0",
    "precision_efficientnet_lite0",
    "recall_efficientnet_lite0",
    "num_images",
    "num_real",
    "seed",
)


def main() -> None:
    """Read the arguments and write the asset."""
    parser = argparse.ArgumentParser(description="Ship a trained generator with the package.")
    parser.add_argument("generator", type=Path)
    parser.add_argument("--score", type=Path, required=True)
    parser.add_argument("--commit", required=True, help="of the code that trained it")
    arguments = parser.parse_args()
    score = json.loads(arguments.score.read_text(encoding="utf-8"))
    if Path(score["gan"]).name != arguments.generator.name:
        raise UserError(f"{arguments.score} is the score of {score['gan']}, of another file")
    provenance = read_generator_header(arguments.generator)["provenance"]
    provenance |= {
        "data": _DATA,
        "preset": "stylegan2-cpu",
        "device": cpu_name() if provenance["device"] == "cpu" else provenance["device"],
        "commit": arguments.commit,
        "score": {name: score[name] for name in _SCORE},
    }
    name = BUILTIN["builtin:stylegan2-cifar10"]
    path = Path(str(resources.files("squeezespan") / "assets" / name))
    save_generator(path, load_generator(arguments.generator), provenance)
    print(f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
