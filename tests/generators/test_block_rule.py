"""Block features by one rule in every family: names, order, shapes and their selection."""

import pytest
import torch
from checkpoint_files.networks import FAMILIES, make_network

from squeezespan.errors import UserError
from squeezespan.generators import pool_features, select_blocks
from squeezespan.randomness import StepRandom


@pytest.mark.parametrize("name", FAMILIES)
def test_a_block_is_the_last_map_of_a_resolution(name: str) -> None:
    generator = make_network(name)
    generated = generator(generator.sample_latents(2, StepRandom(0)))
    sides = [feature.shape[-1] for feature in generated.features.values()]
    assert list(generated.features) == [f"b{side}" for side in sides]
    assert sides == sorted(set(sides))
    for block, feature in generated.features.items():
        side = int(block[1:])
        assert feature.shape == (2, generator.info.block_channels[block], side, side)
    assert list(generator.info.block_channels) == list(generated.features)


@pytest.mark.parametrize("name", FAMILIES)
def test_blocks_are_selected_by_range_list_and_name(name: str) -> None:
    generator = make_network(name)
    generated = generator(generator.sample_latents(2, StepRandom(0)))
    blocks = list(generated.features)
    first, last = blocks[0], blocks[-1]
    for spec, expected in {
        "all": blocks,
        f"{first}-{last}": blocks,
        first: [first],
        f"{last}, {first}": sorted({first, last}, key=blocks.index),
        f"{first}-{blocks[len(blocks) // 2]}": blocks[: len(blocks) // 2 + 1],
    }.items():
        assert select_blocks(spec, blocks) == expected
        pooled = pool_features(generated.features, spec)
        assert list(pooled) == expected
        for block, vector in pooled.items():
            assert vector.dtype == torch.float32
            assert torch.allclose(vector, generated.features[block].float().mean(dim=(2, 3)))
    assert select_blocks([last, first], blocks) == sorted({first, last}, key=blocks.index)
    with pytest.raises(UserError, match=f"no block 'b3'.* it has {', '.join(blocks)}"):
        select_blocks("b3", blocks)


@pytest.mark.parametrize("spec", ["b16-b4", "b4-b8-b16", "b4-", "", "b4,,b8"])
def test_what_is_no_selection_is_refused(spec: str) -> None:
    with pytest.raises(UserError, match=r"is not a range|no block"):
        select_blocks(spec, ["b4", "b8", "b16"])


@pytest.mark.parametrize("name", FAMILIES)
def test_classes_are_asked_for_and_not_taken_where_there_are_none(name: str) -> None:
    generator = make_network(name)
    latents = generator.sample_latents(2, StepRandom(0))
    conditional = latents.labels is not None
    other = latents._replace(labels=None if conditional else torch.zeros(2, dtype=torch.int64))
    with pytest.raises(UserError, match="give class labels" if conditional else "unconditional"):
        generator(other)
    if conditional:
        with pytest.raises(UserError, match="this generator's are 0 to 2"):
            generator.sample_latents(2, StepRandom(0), labels=3)
