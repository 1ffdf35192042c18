"""Write a generator of the shipped one's architecture whose weights were never trained.

    python tools/untrained_gan.py untrained.safetensors

What a student learns from it (`squeezespan reproduce why --arms squeeze-standardized --data
untrained=folder:cifar10 --gan untrained.safetensors`) is what it would learn from any network of
this shape.
"""

import argparse
from pathlib import Path

import torch

from squeezespan import load_generator
from squeezespan.generators import save_generator
from squeezespan.generators.stylegan2 import StyleGAN2Generator


def main() -> None:
    """Read the argument and write the file."""
    parser = argparse.ArgumentParser(description="Write a generator that was never trained.")
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    generator = load_generator("builtin:stylegan2-cifar10")
    assert isinstance(generator, StyleGAN2Generator)
    torch.manual_seed(0)
    save_generator(out, StyleGAN2Generator(generator.config), {})


if __name__ == "__main__":
    main()
