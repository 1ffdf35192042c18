"""Open the checkpoints that `draw.py` left and compare what they give with the references'.

    python tools/references/compare.py FOLDER --out results/references.json

An error is the largest difference over the reference's largest magnitude. A block feature is
compared with the nearest map of its size that any of the reference's modules gave, cropped by the
margin where that is StyleGAN3's, put in shape where it is a linear layer's vector.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from squeezespan import load_discriminator, load_generator
from squeezespan.environment import environment
from squeezespan.files import write_json
from squeezespan.generators.base import Latents

_TOLERANCE = 1e-4
_MARGIN = 10


@torch.no_grad()
def compare(vectors: dict[str, Tensor], file: Path) -> dict[str, float]:
    """Give the error of every output and block of one network."""
    labels = vectors.get("labels")
    if "input" in vectors:
        judged = load_discriminator(file)(vectors["input"], labels)
        errors = {"logits": error(judged.logits, vectors["logits"])}
        features = judged.features
    else:
        genotype = vectors.get("genotype")
        generator = load_generator(file, genotype=None if genotype is None else genotype.tolist())
        latents = Latents(vectors["z"], labels)
        noise = "none" if generator.info.family == "fastgan" else "const"
        generated = generator(latents, noise=noise)
        errors = {"image": error(generated.images, vectors["image"])}
        if "w" in vectors:
            errors["w"] = error(generated.w, vectors["w"])
            truncated = generator(latents, truncation=0.6)
            errors["image, psi 0.6"] = error(truncated.images, vectors["truncated"])
        features = generated.features
    for block, feature in features.items():
        found = [error(feature, x) for x in candidates(feature, vectors)]
        if found:
            errors[block] = min(found)
    return errors


def candidates(feature: Tensor, vectors: dict[str, Tensor]) -> list[Tensor]:
    """The reference's maps of this size."""
    maps = [x for name, x in vectors.items() if name.startswith("map")]
    inside = slice(_MARGIN, -_MARGIN)
    cropped = [x[..., inside, inside] for x in maps if x.ndim == 4 and x.shape[-1] > 2 * _MARGIN]
    shaped = [x.view(feature.shape) for x in maps if x.ndim == 2 and x.numel() == feature.numel()]
    return [x for x in maps + cropped + shaped if x.shape == feature.shape]


def error(ours: Tensor, reference: Tensor) -> float:
    """Largest difference over largest magnitude."""
    return float((ours - reference).abs().max() / reference.abs().max())


def main() -> int:
    """Read the arguments, compare, print a table.

    Returns:
        1 if any error is above 1e-4.
    """
    parser = argparse.ArgumentParser(description="Compare with the reference repositories.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="JSON file")
    arguments = parser.parse_args()
    table: dict[str, dict[str, float]] = {}
    for stored in sorted(arguments.folder.glob("*/*.npz")):
        (file,) = (
            stored.with_suffix(x) for x in (".pkl", ".pth") if stored.with_suffix(x).exists()
        )
        vectors = {key: torch.from_numpy(x) for key, x in np.load(stored).items()}
        name = f"{stored.parent.name}/{stored.stem}"
        table[name] = compare(vectors, file)
        shown = "  ".join(f"{key} {value:.1e}" for key, value in table[name].items())
        print(f"{name:58}  {shown}", flush=True)
    worst = max((max(errors.values()) for errors in table.values()), default=float("inf"))
    print(f"{len(table)} networks, largest error {worst:.1e}")
    if arguments.out is not None:
        write_json(arguments.out, {"environment": environment(), "errors": table})
    return int(not worst < _TOLERANCE)


if __name__ == "__main__":
    sys.exit(main())
