"""Look inside networks: similarity of layers, maps of features."""

from squeezespan.cli.verbs import run_verb

__all__ = ["VERBS", "run"]

VERBS = {
    "cka": "similarity of the layers of a generator, a discriminator and students",
    "map": "maps of what they say of the same images, by class",
}


def run(argv: list[str]) -> None:
    """Run `squeezespan analyze VERB`.

    Args:
        argv: the arguments after `analyze`.

    Raises:
        UserError: there is no such verb; or as the verb.
    """
    run_verb("analyze", VERBS, argv)
