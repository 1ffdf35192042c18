"""DCGAN beside the network as PyTorch's example builds it, and the layouts it recognises."""

import dataclasses
import json
from collections.abc import Callable

import pytest
import torch
from golden_vectors import TOLERANCE, describe, pooled_error, relative_error
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.generators.base import Latents
from squeezespan.generators.dcgan import DCGANConfig, DCGANGenerator, config_from_state


def network(
    widths: tuple[int, ...] = (48, 24, 12, 6),
    *,
    z_dim: int = 20,
    channels: int = 3,
    bottom: int = 4,
    kernel: int = 4,
    bias: bool = False,
    norm: bool = True,
) -> nn.Sequential:
    """The classic chain, with random weights and statistics."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [nn.ConvTranspose2d(z_dim, widths[0], bottom, 1, 0, bias=bias)]
    for before, after in zip(widths, (*widths[1:], channels), strict=True):
        layers += [nn.BatchNorm2d(before), nn.ReLU(True)] if norm else [nn.ReLU(True)]
        padding = kernel // 2 - 1
        layers.append(nn.ConvTranspose2d(before, after, kernel, 2, padding, bias=bias))
    layers.append(nn.Tanh())
    chain = nn.Sequential(*layers)
    for layer in chain:
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.1)
            nn.init.normal_(layer.bias)
            layer(torch.randn(32, layer.num_features, 2, 2) * 2 + 1)
    return chain.eval().requires_grad_(False)


def prefixed(module: nn.Module, prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in module.state_dict().items()}


def in_blocks(chain: nn.Sequential) -> nn.Sequential:
    """The same layers with a container for each convolution and what follows it."""
    layers = list(chain)
    return nn.Sequential(*(nn.Sequential(*layers[i : i + 3]) for i in range(0, len(layers), 3)))


def opened(state: dict[str, Tensor]) -> DCGANGenerator:
    generator = DCGANGenerator(config_from_state(state)).eval().requires_grad_(False)
    generator.load_state_dict(state, strict=True)
    return generator


LAYOUTS: dict[str, tuple[nn.Sequential, str]] = {
    "PyTorch example, 64": (network(), "main."),
    "128, grey": (network((32, 16, 16, 8, 4), channels=1), "main."),
    "28, kernel 6, biases": (network((16, 8), bottom=7, kernel=6, bias=True), "net."),
    "32, no norms": (network((16, 8, 4), norm=False, bias=True), "layers."),
    "no prefix": (network((8, 8)), ""),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_equals_the_chain_of_layers(layout: str, capsys: pytest.CaptureFixture[str]) -> None:
    chain, prefix = LAYOUTS[layout]
    generator = opened(prefixed(chain, prefix))
    z = torch.randn(3, generator.info.z_dim)
    generated = generator(Latents(z, None))
    x = z[:, :, None, None]
    maps: dict[str, Tensor] = {}
    for layer in chain:
        x = layer(x)
        if isinstance(layer, nn.ReLU):
            maps[f"b{x.shape[-1]}"] = x.clone()
    errors = {"image": relative_error(generated.images, x)}
    errors |= {name: relative_error(generated.features[name], maps[name]) for name in maps}
    with capsys.disabled():
        print(describe(f"dcgan, {layout}", errors))
    assert max(errors.values()) < TOLERANCE
    channels = {name: feature.shape[1] for name, feature in maps.items()}
    assert generator.info.block_channels == channels
    assert list(generated.features) == list(maps)
    assert generator.info.resolution == x.shape[-1]
    assert torch.equal(generated.w[:, 0], z)


def test_layers_in_containers_are_recognised() -> None:
    chain = network()
    generator = opened(prefixed(in_blocks(chain), "gen."))
    z = torch.randn(2, 20)
    expected = chain(z[:, :, None, None])
    assert relative_error(generator(Latents(z, None)).images, expected) < TOLERANCE


def test_layers_cannot_take_the_place_of_the_module() -> None:
    weights = network((8,), norm=False).state_dict().values()
    state = dict(zip(("a.weight", "forward.weight"), weights, strict=True))
    with pytest.raises(UserError, match="named forward"):
        DCGANGenerator(config_from_state(state))


def test_default_config_is_the_pytorch_example() -> None:
    state = prefixed(network((512, 256, 128, 64), z_dim=100), "main.")
    assert config_from_state(state) == DCGANConfig()
    assert DCGANConfig(**json.loads(json.dumps(dataclasses.asdict(DCGANConfig())))) == DCGANConfig()


def test_bf16_features_stay_close(capsys: pytest.CaptureFixture[str]) -> None:
    generator = opened(prefixed(network(), "main."))
    latents = Latents(torch.randn(4, 20), None)
    exact = generator(latents).features
    generator.set_compute_dtype(torch.bfloat16)
    generated = generator(latents)
    errors = pooled_error(generated.features, exact)
    with capsys.disabled():
        print(describe("dcgan in bf16, pooled features", errors))
    assert generated.images.dtype == torch.float32
    assert generated.features["b32"].dtype == torch.bfloat16
    assert max(errors.values()) < 2e-2


def drop(name: str) -> Callable[[dict[str, Tensor]], None]:
    return lambda state: state.__delitem__(name)


def put(name: str, *shape: int) -> Callable[[dict[str, Tensor]], None]:
    return lambda state: state.update({name: torch.zeros(shape)})


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state.clear(), "fewer than two"),
        (drop("main.3.weight"), "next convolution"),
        (put("main.3.weight", 48, 24, 3, 3), "even, square kernel"),
        (put("main.3.weight", 48, 24, 5, 5), "even, square kernel"),
        (put("main.0.weight", 20, 48, 4, 5), "even, square kernel"),
        (drop("main.4.running_mean"), "unknown tensor main.4"),
        (put("extra.weight", 3, 3), "unknown tensor extra.weight"),
        (put("main.4.running_mean", 7), "batch norms"),
    ],
)
def test_foreign_weights_are_refused(
    damage: Callable[[dict[str, Tensor]], None], message: str
) -> None:
    state = prefixed(network(), "main.")
    damage(state)
    with pytest.raises(UserError, match=message):
        config_from_state(state)
