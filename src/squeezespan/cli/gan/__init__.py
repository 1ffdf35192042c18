"""Look inside, convert, sample, train and score GANs."""

import difflib
import importlib

from squeezespan.errors import UserError

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
    if not argv or argv[0] in ("-h", "--help"):
        print(_overview())
        return
    verb, *rest = argv
    if verb not in VERBS:
        near = difflib.get_close_matches(verb, VERBS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise UserError(f"unknown command gan {verb}{hint}; it takes {', '.join(VERBS)}")
    importlib.import_module(f"squeezespan.cli.gan.{verb}").run(rest)


def _overview() -> str:
    width = max(map(len, VERBS))
    rows = [f"  {verb:{width}}  {summary}" for verb, summary in VERBS.items()]
    return "\n".join(
        [
            "usage: squeezespan gan VERB [OPTIONS]",
            "",
            *rows,
            "",
            "`squeezespan gan VERB --help` lists the options of a verb.",
        ]
    )
