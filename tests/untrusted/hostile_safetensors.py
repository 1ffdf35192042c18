"""Safetensors whose header lies, other people's and our own."""

import dataclasses
import json
import struct
from collections.abc import Callable
from typing import Any

from checkpoint_files import networks
from safetensors.torch import save
from untrusted.content import Canary, Maker, Sparse

_Header = dict[str, Any]


def _file(header: bytes | _Header, numbers: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + numbers


def _made(header: bytes | _Header, numbers: bytes = b"", length: int | None = None) -> Maker:
    return lambda _: _file(header, numbers, length)


def _tensor(
    dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), name: str = "a"
) -> _Header:
    return {name: {"dtype": dtype, "shape": shape, "data_offsets": offsets}}


def _valid(change: Callable[[_Header], object], name: str = "dcgan") -> Maker:
    """A valid file whose header is changed."""

    def make(_: Canary) -> bytes:
        data = save(dict(networks.make_network(name).state_dict()))
        length = struct.unpack("<Q", data[:8])[0]
        header: _Header = json.loads(data[8 : 8 + length])
        change(header)
        return _file(header, data[8 + length :])

    return make


def _own(change: Callable[[_Header], object], name: str = "stylegan2") -> Maker:
    """One of our own files whose description is changed."""

    def make(_: Canary) -> bytes:
        generator: Any = networks.make_network(name)
        description = {
            "kind": "generator",
            "family": generator.info.family,
            "config": dataclasses.asdict(generator.config),
            "provenance": {},
        }
        change(description)
        state = {key: x.contiguous() for key, x in generator.state_dict().items()}
        return save(state, {"squeezespan": json.dumps(description)})

    return make


def _judge(_: Canary) -> bytes:
    """A discriminator of ours that claims a million layers."""
    discriminator = networks.make_discriminator()
    config = dataclasses.asdict(discriminator.config)
    description = {
        "kind": "discriminator",
        "family": "stylegan2",
        "config": config | {"mapping_layers": 10**6, "num_classes": 3},
        "provenance": {},
    }
    state = {key: x.contiguous() for key, x in discriminator.state_dict().items()}
    return save(state, {"squeezespan": json.dumps(description)})


def _own_text(text: str) -> Maker:
    def make(_: Canary) -> bytes:
        state = networks.make_network("stylegan2").state_dict()
        return save({key: x.contiguous() for key, x in state.items()}, {"squeezespan": text})

    return make


def _config(name: str = "stylegan2", **values: Any) -> Maker:
    return _own(lambda description: description["config"].update(values), name)


def _layers(**values: Any) -> Maker:
    def change(description: _Header) -> None:
        for layer in description["config"]["layers"]:
            layer.update(values)

    return _own(change, "stylegan3_t")


def _many_tensors(_: Canary) -> bytes:
    one = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    return _file({str(i): one for i in range(60_000)})


SAFETENSORS: dict[str, Maker] = {
    "header of 16 EiB": _made(b"{}", length=(1 << 64) - 1),
    "header of 8 EiB": _made(b"{}", length=1 << 63),
    "header longer than the file": _made(_tensor(), length=1000),
    "header without end": _made(b"{" * 100_000),
    "header of lists": _made(b'{"a":' + b"[" * 100_000),
    "header that is no JSON": _made(b"{'a': __import__('os')}"),
    "header of 8 GB that is there": lambda _: Sparse(struct.pack("<Q", 1 << 33) + b"{", 1 << 34),
    "header of 90 MB that is there": lambda _: _file(b"{" + b" " * (90 << 20) + b"}"),
    "tensors by the thousand": _many_tensors,
    "tensor twice": _made(
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        bytes(8),
    ),
    "tensors that overlap": _made(_tensor() | _tensor(name="b"), bytes(8)),
    "tensor behind the end": _made(_tensor(offsets=(1 << 40, (1 << 40) + 8)), bytes(8)),
    "tensor before the begin": _made(_tensor(offsets=(-8, 0)), bytes(8)),
    "tensor that runs backwards": _made(_tensor(offsets=(8, 0)), bytes(8)),
    "tensor of 2^64 numbers": _made(_tensor(shape=(1 << 32, 1 << 32)), bytes(8)),
    "tensor of nothing times much": _made(
        _tensor(shape=(0, 1 << 62, 1 << 62), offsets=(0, 0)) | _tensor(name="b"), bytes(8)
    ),
    "tensor of another length": _made(_tensor(shape=(3,)), bytes(8)),
    "tensor of a thousand axes": _made(_tensor(shape=(1,) * 999 + (2,)), bytes(8)),
    "tensor of an unknown type": _made(_tensor(dtype="os.system"), bytes(8)),
    "tensor of half bytes": _made(_tensor(dtype="F4", shape=(16,)), bytes(8)),
    "tensors of 8-bit floats": _made(
        _tensor("F8_E4M3", (8,)) | _tensor("F8_E5M2", (8,), (8, 16), "b"), bytes(16)
    ),
    "tensors of complex numbers": _made(
        _tensor("C64", (1,)) | _tensor("C64", (1,), (8, 16), "b"), bytes(16)
    ),
    "bytes that belong to nothing": _made(_tensor(), bytes(100)),
    "names with lines in a header": _made(
        _tensor(name="a\n\x1b[31m") | _tensor(name="b\r", offsets=(8, 16)), bytes(16)
    ),
    "metadata that is a list": _made({"__metadata__": [1]} | _tensor(), bytes(8)),
    "metadata that is nested": _made({"__metadata__": {"a": {"b": "c"}}} | _tensor(), bytes(8)),
    "8-bit floats in a network": _valid(
        lambda header: header.update(
            {
                name: x | {"dtype": "F8_E4M3", "shape": [*x["shape"][:-1], 4 * x["shape"][-1]]}
                for name, x in header.items()
                if x["dtype"] == "F32" and len(x["shape"]) == 1
            }
        )
    ),
    "discriminator of a million layers": _judge,
    "description that is no JSON": _own_text("__import__('os').system('true')"),
    "description that is a number": _own_text("7"),
    "description of lists": _own_text("[" * 100_000),
    "description nested in its family": _own_text(
        '{"kind":"generator","config":{},"family":' + "[" * 900 + "]" * 900 + "}"
    ),
    "description of many digits": _own_text('{"kind":' + "9" * 5000 + "}"),
    "kind with lines": _own(lambda x: x.update(kind="\n\x1b[31mbackbone")),
    "kind of 10 MB": _own(lambda x: x.update(kind="x" * 1_000_000)),
    "family with lines": _own(lambda x: x.update(family="\n\x1b[31mstylegan2")),
    "family that is a dict": _own(lambda x: x.update(family={})),
    "family of another network": _own(lambda x: x.update(family="biggan")),
    "no description": _own(lambda x: x.pop("config")),
    "description that is a list": _own(lambda x: x.update(config=[1, 2])),
    "option that does not exist": _config(__class__="x"),
    "option of text": _config(resolution="8"),
    "option that is no number": _config(channel_base=float("nan")),
    "option without end": _config(w_avg_beta=float("inf")),
    "resolution of 2^60": _config(resolution=1 << 60),
    "resolution below zero": _config(resolution=-8),
    "resolution of zero": _config(resolution=0),
    "a billion layers": _config(mapping_layers=10**9),
    "width of 2^50": _config(w_dim=1 << 50),
    "channels of 10^400": _config(channels=10**400),
    "architecture of another name": _config(architecture="\n\x1b[31mskip"),
    "architecture that is a list": _config(architecture=[[]]),
    "clamp of text": _config(conv_clamp="256"),
    "widths by the million": _config("biggan", widths=[4] * 1_000_000),
    "widths in widths": _config("biggan", widths=[[4]]),
    "names of layers that climb": _config("dcgan", conv_names=["__init__", "a.b", "", "x", "y"]),
    "genotype of a million": _config("autogan", genotype=[1] * 1_000_000),
    "width of a tower": _config("fastgan", base_width=1 << 23),
    "layers that are numbers": _config("stylegan3_t", layers=[1, 2, 3]),
    "layers by the hundred": _config("stylegan3_t", layers=[{}] * 101),
    "rates of zero": _layers(in_sampling_rate=0, out_sampling_rate=0),
    "rates of 2^40": _layers(in_sampling_rate=1, out_sampling_rate=1 << 40),
    "taps of 10^7": _layers(filter_size=10**7),
    "sides of 10^7": _layers(in_size=10**7, out_size=10**7),
    "cutoff that is no number": _layers(in_cutoff=float("nan")),
    "layers with one name": _layers(name="L0_36_4"),
}
