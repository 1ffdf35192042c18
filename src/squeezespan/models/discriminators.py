"""How a discriminator is named where a trained student can stand."""

__all__ = ["DISCRIMINATORS", "named_discriminator"]

DISCRIMINATORS = {"discriminator:": False, "discriminator-multi:": True}
"""What stands before a discriminator's file in the place of a run, and whether the features are
those of several layers."""


def named_discriminator(name: str) -> tuple[str, bool] | None:
    """Give the file and whether of several layers; None for what names no discriminator."""
    for prefix, multi in DISCRIMINATORS.items():
        if name.startswith(prefix):
            return name.removeprefix(prefix), multi
    return None
