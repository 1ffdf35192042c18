"""What a generator's images take is known without making one."""

import pytest
import torch
from checkpoint_files import networks
from torch.utils.flop_counter import FlopCounterMode

from squeezespan.errors import UserError
from squeezespan.generators.dcgan.network import DCGANConfig, DCGANGenerator
from squeezespan.generators.outline import check_images, measure
from squeezespan.randomness import StepRandom


@pytest.mark.parametrize("name", networks.FAMILIES)
def test_shapes_and_flops_are_those_of_an_image_that_is_made(name: str) -> None:
    generator = networks.make_network(name).freeze()
    latents = generator.sample_latents(1, StepRandom(0, stream="test"))
    with FlopCounterMode(display=False) as counter:
        features = generator(latents).features
    shapes, flops = measure(generator)
    assert shapes == {name: tuple(feature.shape[1:]) for name, feature in features.items()}
    assert flops == counter.get_total_flops()


def test_feature_maps_without_end_are_refused() -> None:
    with torch.device("meta"):
        wide = DCGANGenerator(DCGANConfig(widths=(1 << 16,) * 4, kernels=(64, 4, 4, 4, 4)))
    with pytest.raises(UserError, match=r"feature maps of [0-9,]+ numbers, more than any"):
        check_images(wide)
