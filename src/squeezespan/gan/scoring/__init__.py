"""How close generated images are to real ones: Frechet and kernel distance, precision, recall."""

from squeezespan.gan.scoring.score import score_generator

__all__ = ["score_generator"]
