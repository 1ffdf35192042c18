"""Small valid checkpoints of every format, as the begin of others."""

import io
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import torch
from checkpoint_files import networks
from checkpoint_files.judging import pickled_discriminator
from checkpoint_files.persistence import dump, snapshot
from checkpoint_files.pickling import pickled
from checkpoint_files.rosinality import rosinality_state
from checkpoint_files.tensorflow import tensorflow_discriminator, tensorflow_generator
from safetensors.torch import save

from squeezespan.generators import save_generator

__all__ = ["valid_files", "write_valid_files"]


def valid_files() -> dict[str, bytes]:
    """Give file names and contents."""
    made = {name: networks.make_network(name) for name in networks.FAMILIES}
    state = {name: dict(network.state_dict()) for name, network in made.items()}
    judge = pickled_discriminator(networks.make_discriminator())
    snapshots = {
        "stylegan2.pkl": dump(snapshot(pickled(made["stylegan2"]), judge)),
        "stylegan2-3.pkl": dump(
            snapshot(pickled(made["stylegan2_conditional"], container=OrderedDict)), 3
        ),
        "stylegan3.pkl": dump(snapshot(pickled(made["stylegan3_r"]))),
        "stylegan-xl.pkl": dump(snapshot(pickled(made["stylegan_xl"])), 5),
        "fastgan.pkl": dump(snapshot(pickled(made["fastgan"])), 2),
    }
    network = tensorflow_generator(state["stylegan2"], resolution=8)
    tensorflow = dump((network, tensorflow_discriminator(), network), 3)
    wrapped = {"state_dict": {f"module.{name}": x for name, x in state["dcgan"].items()}}
    port = {
        "g_ema": rosinality_state(state["stylegan2"]),
        "latent_avg": state["stylegan2"]["mapping.w_avg"],
    }
    return snapshots | {
        "tensorflow.pkl": tensorflow,
        "biggan.pth": _saved(state["biggan"]),
        "dcgan.ckpt": _saved(wrapped),
        "rosinality.pt": _saved(port),
        "autogan.pth.tar": _saved({"avg_gen_state_dict": state["autogan"], "epoch": 3}, old=True),
        "stylegan2.pt": _saved({"G_ema": state["stylegan2"]}, old=True),
        "stylegan3.safetensors": save(state["stylegan3_t"]),
        "own.safetensors": _own(made["stylegan2"]),
    }


def write_valid_files(folder: Path) -> dict[Path, bytes]:
    """Write them to a folder and give paths and contents."""
    files = {folder / name: data for name, data in valid_files().items()}
    for path, data in files.items():
        path.write_bytes(data)
    return files


def _saved(content: Any, *, old: bool = False) -> bytes:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not old)
    return buffer.getvalue()


def _own(generator: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "own.safetensors"
        save_generator(path, generator, {"data": "none"})
        return path.read_bytes()
