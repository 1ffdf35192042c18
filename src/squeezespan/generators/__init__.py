"""Generators: one clean module a family, behind one protocol."""

from squeezespan.generators.base import Generated, Generator, GeneratorInfo, Latents, NoiseMode
from squeezespan.generators.blocks import pool_features, select_blocks
from squeezespan.generators.registered import register_generator
from squeezespan.generators.registry import load_generator, read_generator_header, save_generator

__all__ = [
    "Generated",
    "Generator",
    "GeneratorInfo",
    "Latents",
    "NoiseMode",
    "load_generator",
    "pool_features",
    "read_generator_header",
    "register_generator",
    "save_generator",
    "select_blocks",
]
