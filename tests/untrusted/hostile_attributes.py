"""Snapshots whose attributes lie about their network, so that its sizes make no sense."""

from collections.abc import Callable
from typing import Any

import numpy as np
from checkpoint_files import networks
from checkpoint_files.foreign import instance
from checkpoint_files.persistence import Part, dump, persistent, snapshot
from checkpoint_files.stylegan import StyleGAN2Parts, StyleGAN3Parts
from checkpoint_files.tensorflow import tensorflow_generator
from torch import nn
from untrusted.content import Call, Canary, Maker

from squeezespan.generators.stylegan3 import StyleGAN3Generator


def _stylegan2(place: str, **attributes: Any) -> Maker:
    """Lie in the modules of one name."""
    parts = StyleGAN2Parts(networks.STYLEGAN2)

    def describe(path: str, module: nn.Module) -> Part:
        part = parts(path, module)
        lies = attributes if path.endswith(place) else {}
        return Part(part.class_name, part.attributes | lies, part.arguments)

    return lambda _: dump(snapshot(persistent(networks.make_network("stylegan2"), describe)))


def _stylegan3(place: str, **attributes: Any) -> Maker:
    def make(_: Canary) -> bytes:
        generator = networks.make_network("stylegan3_t")
        assert isinstance(generator, StyleGAN3Generator)
        parts = StyleGAN3Parts(generator.config)

        def describe(path: str, module: nn.Module) -> Part:
            part = parts(path, module)
            is_layer = place == "layer" and "in_size" in part.attributes
            lies = attributes if is_layer or path == place else {}
            return Part(part.class_name, part.attributes | lies, part.arguments)

        return dump(snapshot(persistent(generator, describe)))

    return make


def _tensorflow(change: Callable[[dict[str, Any]], object], **arguments: Any) -> Maker:
    def make(_: Canary) -> bytes:
        state = networks.make_network("stylegan2").state_dict()
        network = tensorflow_generator(state, **arguments)
        change(network.__dict__)
        return dump((network, network, network))

    return make


def _shared_components(state: dict[str, Any]) -> None:
    inner = instance(
        "dnnlib.tflib.network",
        "Network",
        {"variables": [(f"x{i}", np.zeros(1, np.float32)) for i in range(10_000)]},
    )
    state["components"] = {f"c{i}": inner for i in range(50_000)}


def _variable(value: Any, name: str = "dlatent_avg") -> Callable[[dict[str, Any]], None]:
    def change(state: dict[str, Any]) -> None:
        state["variables"] = [(name, value)]

    return change


_REDUCED: Any = np.zeros(1, np.float32).__reduce__()
_BIG = Call(
    _REDUCED[0],
    *_REDUCED[1],
    state=(1, (0, 1 << 47, 1 << 47), np.dtype(np.float32), False, b""),
)

ATTRIBUTES: dict[str, Maker] = {
    "clamp that is text": _stylegan2("conv1", conv_clamp="__import__('os')"),
    "clamp below zero": _stylegan2("conv1", conv_clamp=-1.0),
    "clamp that is no number": _stylegan2("conv1", conv_clamp=float("nan")),
    "clamp that is a list of lists": _stylegan2("conv1", conv_clamp=[[[]]] * 1000),
    "activation of another name": _stylegan2("conv1", activation="\x1b[31m" + "x" * 10_000),
    "activation that is a number": _stylegan2("conv1", activation=10**60),
    "multiplier of another size": _stylegan2("fc0", bias_gain=1e300),
    "no layers": _stylegan3("synthesis", layer_names=[]),
    "layers that do not exist": _stylegan3("synthesis", layer_names=["L\n\x1b[0m" * 10]),
    "layers by the thousand": _stylegan3("synthesis", layer_names=["L0_36_4"] * 100_000),
    "layers that are a number": _stylegan3("synthesis", layer_names=7),
    "size of 2^60": _stylegan3("layer", in_size=np.array([1 << 60, 1 << 60])),
    "size that is not square": _stylegan3("layer", in_size=np.array([36, 37])),
    "size that is nested": _stylegan3("layer", in_size=[[36], [36]]),
    "size that is text": _stylegan3("layer", in_size="36" * 10_000),
    "rate of zero": _stylegan3("layer", in_sampling_rate=0.0),
    "rate without end": _stylegan3("layer", out_sampling_rate=float("inf")),
    "rate that is no number": _stylegan3("layer", out_sampling_rate=float("nan")),
    "rate of 10^300": _stylegan3("layer", in_sampling_rate=1e300),
    "filter of 10^9 taps": _stylegan3("layer", up_taps=10**9, down_taps=10**9),
    "factor of zero": _stylegan3("layer", up_factor=0, down_factor=0),
    "factor of 10^9": _stylegan3("layer", up_factor=10**9),
    "padding without end": _stylegan3("layer", padding=[10**9] * 4),
    "padding of 100,000 sides": _stylegan3("layer", padding=[1] * 100_000),
    "kernel of 10^9": _stylegan3("layer", conv_kernel=10**9),
    "channels of another number": _stylegan3("layer", out_channels=1 << 50),
    "input of 2^50 pixels": _stylegan3("synthesis.input", size=np.array([1 << 50] * 2)),
    "input without a size": _stylegan3("synthesis.input", size=None),
    "mapping of 10^9 layers": _stylegan3("mapping", num_layers=10**9),
    "classes that are none": _stylegan3("", c_dim=-5),
    "classes by the billion": _stylegan3("", c_dim=10**12),
    "image of 2^60 pixels": _stylegan3("", img_resolution=1 << 60),
    "TensorFlow: components that share": _tensorflow(_shared_components),
    "TensorFlow: no variables": _tensorflow(lambda state: state.update(variables=None)),
    "TensorFlow: variables of numbers": _tensorflow(lambda state: state.update(variables=[1, 2])),
    "TensorFlow: variable of text": _tensorflow(_variable("x")),
    "TensorFlow: variable of objects": _tensorflow(_variable(np.array([None, {}]))),
    "TensorFlow: variable with fields": _tensorflow(
        _variable(np.zeros(2, np.dtype([("a", "f4"), ("b", "O")])))
    ),
    "TensorFlow: variable of dates": _tensorflow(_variable(np.zeros(2, "datetime64[s]"))),
    "TensorFlow: variable of complex numbers": _tensorflow(_variable(np.zeros(6, np.complex64))),
    "TensorFlow: variable of nothing times much": _tensorflow(_variable(_BIG)),
    "TensorFlow: variable of an unknown name": _tensorflow(
        _variable(np.zeros(1), "__class__/__init__")
    ),
    "TensorFlow: variable whose name has lines": _tensorflow(_variable(np.zeros(1), "x\n\x1b[31m")),
    "TensorFlow: component that is text": _tensorflow(
        lambda state: state.update(components={"mapping": "x"})
    ),
    "TensorFlow: version that is a dict": _tensorflow(lambda state: state.update(version={})),
    "TensorFlow: resolution of text": _tensorflow(lambda _: None, resolution="8"),
    "TensorFlow: filter of filters": _tensorflow(lambda _: None, resample_kernel=[[[1]]] * 9),
    "TensorFlow: five networks": lambda _: dump(
        (tensorflow_generator(networks.make_network("stylegan2").state_dict()),) * 5
    ),
}
