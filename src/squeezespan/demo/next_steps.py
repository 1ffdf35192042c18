"""The commands that go on from the demo to a user's own images."""

__all__ = ["NEXT_STEPS", "WITHOUT_GAN"]

NEXT_STEPS = (
    "squeezespan distill --preset squeeze-span --data folder:IMAGES --gan GAN --out runs/mine",
    "squeezespan probe runs/mine --data folder:LABELLED --protocol knn --report probe.html",
    "squeezespan export runs/mine --format timm --out exported",
)
"""Train a backbone, test it, and hand it to other code."""
WITHOUT_GAN = "squeezespan gan train --preset auto --data folder:IMAGES --out runs/gan"
"""Where there are images, but no GAN of them."""
