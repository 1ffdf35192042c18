"""DCGAN beside the network as PyTorch's example builds it, and the layouts it recognises."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from golden_vectors import TOLERANCE, describe, pooled_error, relative_error
from torch import Tensor, nn

import squeezespan
from squeezespan.cli.main import main
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


def chain(*layers: nn.Module) -> nn.Sequential:
    """Layers with random weights and statistics."""
    torch.manual_seed(0)
    network = nn.Sequential(*layers)
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_()  # type: ignore[union-attr]
            layer.running_var.uniform_(0.5, 2)  # type: ignore[union-attr]
    return network.eval().requires_grad_(False)


_C, _B = nn.ConvTranspose2d, nn.BatchNorm2d
TUTORIALS: dict[str, tuple[nn.Sequential, dict[str, Any]]] = {
    "MNIST of 28, odd kernels": (
        chain(
            *(_C(10, 8, 3, 2), _B(8), nn.ReLU(), _C(8, 8, 4, 1), _B(8), nn.ReLU()),
            *(_C(8, 4, 3, 2), _B(4), nn.ReLU(), _C(4, 1, 4, 2), nn.Tanh()),
        ),
        {"strides": (2, 1, 2, 2), "paddings": (0, 0, 0, 0)},
    ),
    "MNIST of 28, padding 3": (
        chain(
            *(_C(10, 8, 4, 1, 0), _B(8), nn.ReLU(), _C(8, 8, 4, 2, 1), _B(8), nn.ReLU()),
            *(_C(8, 4, 4, 2, 1), _B(4), nn.ReLU(), _C(4, 1, 4, 2, 3), nn.Tanh()),
        ),
        {"paddings": [0, 1, 1, 3]},
    ),
    "5x5 kernels with output padding": (
        chain(
            *(_C(10, 8, 4, 1, 0), _B(8), nn.ReLU(), _C(8, 4, 5, 2, 2, 1), _B(4), nn.ReLU()),
            *(_C(4, 3, 5, 2, 2, 1), nn.Tanh()),
        ),
        {"strides": (1, 2, 2), "paddings": (0, 2, 2), "output_paddings": (0, 1, 1)},
    ),
    "output padding alone": (
        chain(
            *(_C(10, 8, 4, 1, 0), _B(8), nn.ReLU(), _C(8, 4, 3, 2, 1, 1), _B(4), nn.ReLU()),
            *(_C(4, 3, 3, 2, 1, 1), nn.Tanh()),
        ),
        {"output_paddings": (0, 1, 1)},
    ),
    "stride 4": (
        chain(_C(10, 8, 4, 1, 0), _B(8), nn.ReLU(), _C(8, 3, 4, 4, 0), nn.Tanh()),
        {"strides": (1, 4), "paddings": (0, 0)},
    ),
    "leaky ReLU": (
        chain(_C(10, 8, 4, 1, 0), _B(8), nn.LeakyReLU(0.2), _C(8, 3, 4, 2, 1), nn.Tanh()),
        {"activation": "leaky_relu"},
    ),
    "leaky ReLU of another slope, no output": (
        chain(_C(10, 8, 4, 1, 0), _B(8), nn.LeakyReLU(0.1), _C(8, 3, 4, 2, 1)),
        {"activation": "leaky_relu:0.1", "output": "none"},
    ),
    "SELU and sigmoid": (
        chain(_C(10, 8, 4, 1, 0), nn.SELU(), _C(8, 3, 4, 2, 1), nn.Sigmoid()),
        {"activation": "selu", "output": "sigmoid"},
    ),
}


@pytest.mark.parametrize("name", TUTORIALS)
def test_what_weights_cannot_tell_is_said_and_kept_by_convert(name: str, tmp_path: Path) -> None:
    network, choices = TUTORIALS[name]
    path, kept = tmp_path / "dcgan.pth", tmp_path / "kept.safetensors"
    torch.save(prefixed(network, "main."), path)
    z = torch.randn(3, 10)
    expected = network(z[:, :, None, None])
    if choices.get("output") == "sigmoid":
        expected = 2 * expected - 1
    generated = squeezespan.load_generator(path, **choices)(Latents(z, None))
    assert generated.images.shape == expected.shape
    assert relative_error(generated.images, expected) < TOLERANCE
    words = []
    for option, value in choices.items():
        text = value if isinstance(value, str) else ",".join(map(str, value))
        words += [f"--{option.replace('_', '-')}", text]
    assert main(["gan", "convert", str(path), "--out", str(kept), *words]) == 0
    assert torch.equal(squeezespan.load_generator(kept)(Latents(z, None)).images, generated.images)


def test_one_hot_classes_follow_z(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = chain(_C(13, 8, 4, 1, 0), _B(8), nn.ReLU(), _C(8, 3, 4, 2, 1), nn.Tanh())
    path = tmp_path / "conditional.pth"
    torch.save(network.state_dict(), path)
    generator = squeezespan.load_generator(path, classes=3)
    assert (generator.info.z_dim, generator.info.num_classes) == (10, 3)
    z, labels = torch.randn(4, 10), torch.tensor([2, 0, 1, 2])
    inputs = torch.cat([z, nn.functional.one_hot(labels, 3).float()], dim=1)
    expected = network(inputs[:, :, None, None])
    assert relative_error(generator(Latents(z, labels)).images, expected) < TOLERANCE
    assert squeezespan.load_generator(path).info.num_classes == 0
    assert "no classes (--classes)" in capsys.readouterr().err


def test_what_is_assumed_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "dcgan.pth"
    torch.save(prefixed(network(), "main."), path)
    squeezespan.load_generator(path)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    for part in ("strides 1,2,2,2,2", "paddings 0,1,1,1,1, so 64 pixels", "relu", "tanh"):
        assert part in said
    assert main(["gan", "inspect", str(path), "--seconds", "0", "--strides", "1,2,2,2,2"]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert "assumed paddings 0,1,1,1,1, so 64 pixels (--paddings); relu between the layers" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--strides 1,2", "2 strides are given, but it has 5 convolutions"),
        ("--strides 1,x", "--strides takes numbers separated by commas"),
        ("--strides 1,2,2,2,0", "strides must be whole numbers of 1 or more"),
        ("--paddings 0,1,1,1,40", "make maps of 4, 8, 16, 32, -14 pixels"),
        ("--output-paddings 0,0,0,0,2", "must be smaller than its stride"),
        ("--activation tanhh", "activation is one of relu"),
        ("--activation relu:0.1", "only leaky_relu takes a slope"),
        ("--output softmax", "output is one of tanh, sigmoid, none"),
        ("--classes 20", "20 classes leave no z"),
    ],
)
def test_what_cannot_be_is_refused(
    options: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "dcgan.pth"
    torch.save(prefixed(network(), "main."), path)
    assert main(["gan", "inspect", str(path), "--seconds", "0", *options.split()]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_mnist_is_not_taken_for_32_pixels(tmp_path: Path) -> None:
    path = tmp_path / "mnist.pth"
    torch.save(TUTORIALS["MNIST of 28, padding 3"][0].state_dict(), path)
    with pytest.raises(UserError, match="one of MNIST's 28"):
        squeezespan.load_generator(path)
    assert squeezespan.load_generator(path, paddings=(0, 1, 1, 1)).info.resolution == 32


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
        (put("main.0.weight", 20, 48, 4, 5), "kernel of main.0 is not square"),
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
