"""Constructor arguments of StyleGAN3 that contradict the layers of the file."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from checkpoint_files import networks
from checkpoint_files.persistence import Part, dump, persistent, snapshot
from checkpoint_files.stylegan import StyleGAN3Parts
from torch import nn

from squeezespan import load_generator
from squeezespan.errors import UserError
from squeezespan.generators.stylegan3 import StyleGAN3Generator


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_layers": 10**12}, "ask for num_layers 1000000000000 and ToRGB, but it has 6 layers"),
        ({"num_layers": "many"}, "ask for num_layers many"),
        ({"num_layers": 5, "first_cutoff": 0.0}, "arguments are odd"),
        ({"num_layers": 5, "channel_base": 64, "channel_max": 3}, "with name L0_"),
    ],
    ids=["layers", "text", "cutoff", "widths"],
)
def test_they_are_refused_before_layers_are_designed(
    arguments: dict[str, Any], message: str, tmp_path: Path
) -> None:
    generator = networks.make_network("stylegan3_t")
    assert isinstance(generator, StyleGAN3Generator)
    parts = StyleGAN3Parts(generator.config)

    def described(place: str, module: nn.Module) -> Part:
        part = parts(place, module)
        return part if place else replace(part, arguments=part.arguments | arguments)

    path = tmp_path / "odd.pkl"
    path.write_bytes(dump(snapshot(persistent(generator, described))))
    with pytest.raises(UserError, match=message):
        load_generator(path)
