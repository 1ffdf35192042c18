"""Any generator of the families that are pickled, as its repository pickles it."""

from typing import Any

from checkpoint_files.fastgan import fastgan_module
from checkpoint_files.persistence import persistent
from checkpoint_files.stylegan import StyleGAN2Parts, StyleGAN3Parts

from squeezespan.generators.base import Generator
from squeezespan.generators.fastgan import FastGANGenerator
from squeezespan.generators.stylegan2 import StyleGAN2Generator
from squeezespan.generators.stylegan3 import StyleGAN3Generator


def pickled(generator: Generator, **options: Any) -> Any:
    """Give the object to pickle.

    Args:
        generator: a StyleGAN2, StyleGAN3, StyleGAN-XL or FastGAN.
        options: of `persistent`.
    """
    if isinstance(generator, FastGANGenerator):
        return fastgan_module(generator.state_dict(), generator.config)
    if isinstance(generator, StyleGAN2Generator):
        return persistent(generator, StyleGAN2Parts(generator.config), **options)
    assert isinstance(generator, StyleGAN3Generator)
    return persistent(generator, StyleGAN3Parts(generator.config), **options)
