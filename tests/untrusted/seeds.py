"""Very small files of every format, for a fuzzer that finds its way from them by coverage."""

import argparse
import datetime
import io
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from checkpoint_files.foreign import importable, instance, stand_in
from checkpoint_files.persistence import Persistent, dump
from safetensors.torch import save
from untrusted.collection import HOSTILE
from untrusted.content import Canary

__all__ = ["seeds"]

_LARGEST = 4096
_NOWHERE = Canary(Path("/nonexistent/canary"))


def seeds() -> Iterator[bytes]:
    """Give valid files first, then the small ones among the hostile."""
    for content in (_weights(), _options(), _module()):
        for protocol in range(1, 6):
            yield dump(content, protocol)
            yield _saved(content, protocol, zipped=False)
        yield _saved(content, 2, zipped=True)
    for protocol in (2, 4):
        yield dump((_tensorflow(),) * 3, protocol)
    yield save({name: torch.zeros(2) for name in "ab"}, {"squeezespan": '{"kind": "generator"}'})
    for make in HOSTILE.values():
        made = make(_NOWHERE)
        if isinstance(made, bytes) and len(made) <= _LARGEST:
            yield made


def _weights() -> dict[str, Any]:
    wide = torch.arange(6.0).reshape(2, 3)
    return {
        "g_ema": {"module.a": wide.t(), "module.b": wide[:, ::2], "module.c": torch.zeros(())},
        "D": {"x": wide.bfloat16(), "y": wide.to(torch.float8_e5m2), "z": wide.to(torch.cfloat)},
        "latent_avg": torch.zeros(2, dtype=torch.float64),
    }


def _options() -> dict[str, Any]:
    return {
        "state_dict": OrderedDict(a=torch.zeros(1, dtype=torch.bool), b=torch.zeros(1)),
        "args": argparse.Namespace(lr=0.002, sizes=[1, 2], names={"a", "b"}),
        "began": datetime.datetime(2022, 11, 28),
        "counts": [Counter({10: 1}), defaultdict(list, {"x": [1.5]}), frozenset("ab")],
        "numbers": [np.float64(3.5), np.arange(3), np.zeros(2, ">f4"), 1 << 70, -1, True, None],
        "text": ["caf\u00e9", b"bytes", "x" * 300],
        "place": Path("runs"),
        "easy": stand_in("dnnlib.util", "EasyDict", dict)({"lr": 0.002}),
        "unknown": instance("nowhere.at_all", "Thing", {"x": 1}),
    }


def _module() -> dict[str, Any]:
    state = {
        "_parameters": OrderedDict(weight=torch.nn.Parameter(torch.zeros(2, 1))),
        "_buffers": {"w_avg": torch.zeros(2), "temporary": None},
        "_non_persistent_buffers_set": {"temporary"},
        "_modules": {},
        "_init_kwargs": {"z_dim": 2, "synthesis_kwargs": {"channel_max": 4}},
        "size": np.array([4, 4]),
    }
    inner = Persistent("Layer", dict(state), "")
    outer = Persistent("Generator", state | {"_modules": {"layer": inner}}, "")
    return {"G": None, "D": torch.nn.Linear(1, 1), "G_ema": outer}


def _tensorflow() -> Any:
    variables = [("dlatent_avg", np.zeros(2, np.float32)), ("lod", np.float32(0))]
    inner = instance("dnnlib.tflib.network", "Network", {"variables": variables})
    state = {"version": 4, "static_kwargs": {"resolution": 8}, "variables": variables}
    components = {"mapping": inner}
    return instance("dnnlib.tflib.network", "Network", state | {"components": components})


def _saved(content: Any, protocol: int, *, zipped: bool) -> bytes:
    buffer = io.BytesIO()
    # Without checksums, which no change of a byte would get past.
    torch.serialization.set_crc32_options(False)
    try:
        with importable():
            torch.save(
                content,
                buffer,
                pickle_protocol=protocol,
                _use_new_zipfile_serialization=zipped,
            )
    finally:
        torch.serialization.set_crc32_options(True)
    return buffer.getvalue()
