"""Other repositories' layouts of StyleGAN2's networks, given the published names."""

from squeezespan.generators.checkpoints.checkpoint import Network
from squeezespan.generators.stylegan2.layouts import genforce, mmgeneration, rosinality, tensorflow
from squeezespan.generators.stylegan2.layouts.renaming import rename

__all__ = ["published"]

_LAYOUTS = (tensorflow.LAYOUT, rosinality.LAYOUT, mmgeneration.LAYOUT, genforce.LAYOUT)


def published(network: Network) -> Network:
    """Give a network of a known layout the published names; any other as it is.

    Raises:
        UserError: it has a weight that its layout doesn't have.
    """
    for layout in _LAYOUTS:
        if layout.recognizes(network):
            return rename(network, layout)
    return network
