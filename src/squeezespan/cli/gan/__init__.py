"""Look inside, convert, sample, train and score GANs."""

from squeezespan.cli.verbs import run_verb

__all__ = ["VERBS", "run"]

VERBS = {
    "inspect": "family, sizes, blocks and speed of a generator",
    "convert": "any generator's checkpoint to safetensors",
    "sample": "a grid of generated images as PNG",
    "train": "train a StyleGAN2-ADA on your images",
    "score": "Frechet and kernel distance, precision and recall",
}


def run(argv: list[str]) -> None:
    """Run `squeezespan gan VERB`.

    Args:
        argv: the arguments after `gan`.

    Raises:
        UserError: there is no such verb; or as the verb.
    """
    run_verb("gan", VERBS, argv)
