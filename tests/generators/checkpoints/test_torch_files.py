"""State dicts in files of `torch.save`, old and new, and in safetensors, however wrapped."""

import argparse
import datetime
import zipfile
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import networks
from checkpoint_files.comparing import same_images
from checkpoint_files.foreign import importable, stand_in
from checkpoint_files.persistence import dump, snapshot
from checkpoint_files.pickling import pickled
from checkpoint_files.rosinality import rosinality_state
from safetensors.torch import save_file
from torch import Tensor
from untrusted.archives import pack, unpack
from untrusted.content import Call, Canary, write
from untrusted.hostile_archives import ARCHIVES

import squeezespan
from squeezespan.cli.main import main
from squeezespan.errors import UserError
from squeezespan.generators.base import Generator
from squeezespan.generators.registry import read_generator_header
from squeezespan.generators.stylegan2 import StyleGAN2Generator

_State = dict[str, Tensor]


def save_zip(content: Any, path: Path, **options: Any) -> None:
    torch.save(content, path, **options)


def save_legacy(content: Any, path: Path, **options: Any) -> None:
    torch.save(content, path, _use_new_zipfile_serialization=False, **options)


SAVERS = [save_zip, save_legacy]
# Layers that continue a stem have sizes that only a pickle's attributes tell.
BARE = [name for name in networks.FAMILIES if name != "stylegan_xl_superresolution"]


@pytest.fixture
def generator() -> Generator:
    return networks.make_network("stylegan2")


@pytest.mark.parametrize("save", [*SAVERS, save_file])
@pytest.mark.parametrize("name", BARE)
def test_bare_state_dicts(name: str, save: Callable[[Any, Path], None], tmp_path: Path) -> None:
    original = networks.make_network(name)
    path = tmp_path / "generator.pth"
    save(dict(original.state_dict()), path)
    same_images(path, original)


def test_class_embeddings_of_another_width(tmp_path: Path) -> None:
    config = replace(networks.STYLEGAN2, num_classes=3, mapping_embed_width=5, mapping_width=7)
    original = networks.randomized(StyleGAN2Generator(config))
    path = tmp_path / "generator.pth"
    torch.save({"g_ema": original.state_dict()}, path)
    same_images(path, original)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", range(6))
def test_every_pickle_protocol_opens_or_is_named(
    protocol: int, zipped: bool, generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "generator.pt"
    torch.save(
        {"g_ema": generator.state_dict()},
        path,
        pickle_protocol=protocol,
        _use_new_zipfile_serialization=zipped,
    )
    if protocol:
        same_images(path, generator)
        return
    with pytest.raises(UserError, match=r"pickle protocol 0.*save the generator's state_dict"):
        squeezespan.load_generator(path)


WRAPPERS: dict[str, Callable[[_State, _State], Any]] = {
    "G_ema": lambda ema, last: {"G": last, "D": {}, "G_ema": ema, "progress": {"kimg": 25.0}},
    "g_ema and optimizers": lambda ema, last: {
        "g": last,
        "g_ema": ema,
        "g_optim": {"state": {0: {"step": 3, "exp_avg": torch.zeros(2)}}, "param_groups": []},
        "args": argparse.Namespace(size=8, lr=0.002),
    },
    "ema of Lightning": lambda ema, last: {
        "epoch": 3,
        "pytorch-lightning_version": "2.5",
        "state_dict": {
            **{f"generator.{name}": tensor for name, tensor in last.items()},
            **{f"generator_ema.{name}": tensor for name, tensor in ema.items()},
            "discriminator.b4.out.bias": torch.zeros(1),
        },
    },
    "state_dict": lambda ema, _: {"state_dict": OrderedDict(ema), "epoch": 12, "best": 3.5},
    "ema": lambda ema, last: {"model": last, "ema": ema, "step": 5},
    "module.": lambda ema, _: {f"module.{name}": tensor for name, tensor in ema.items()},
    "state_dict, module. and compiled": lambda ema, _: {
        "state_dict": {f"module._orig_mod.{name}": tensor for name, tensor in ema.items()}
    },
    "with numpy numbers": lambda ema, _: {
        "G_ema": ema,
        "fid": np.float64(3.5),
        "seen": np.arange(3),
    },
    "with a scheduler's state": lambda ema, _: {
        "g_ema": ema,
        "scheduler": {"milestones": Counter({10: 1, 20: 1}), "seen": {1, 2, 3}},
        "began": datetime.datetime(2022, 11, 28, 12, 30),
        "took": datetime.timedelta(hours=3),
        "scores": defaultdict(list, {"fid": [3.5]}),
        "counts": defaultdict(int),
        "nested": defaultdict(dict),
        "options": stand_in("easydict", "EasyDict", dict)({"lr": 0.002}),
    },
    "with remarks in the state": lambda ema, _: {**ema, "_meta": "x", "version": 3},
    "averaged by torch": lambda ema, last: {
        "model_ema": {"n_averaged": torch.tensor(9), **{f"module.{k}": v for k, v in ema.items()}},
        "G": last,
    },
    "my_gen.": lambda ema, _: {f"my_gen.{name}": tensor for name, tensor in ema.items()},
    "avg_gen_state_dict": lambda ema, last: {
        "epoch": 300,
        "gen_model": "autogan_cifar10_a",
        "gen_state_dict": last,
        "dis_state_dict": {},
        "avg_gen_state_dict": ema,
        "path_helper": {"prefix": "logs"},
    },
}


@pytest.mark.parametrize("save", SAVERS)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrapped_state_dicts(
    wrapper: str, save: Callable[[Any, Path], None], generator: Generator, tmp_path: Path
) -> None:
    ema = dict(generator.state_dict())
    last = {name: tensor * 0.5 for name, tensor in ema.items()}
    path = tmp_path / "checkpoint.pth.tar"
    content = WRAPPERS[wrapper](ema, last)
    with importable():
        save(content, path)
    same_images(path, generator)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("save", [*SAVERS, save_file])
def test_other_number_types(
    dtype: torch.dtype, save: Callable[[Any, Path], None], generator: Generator, tmp_path: Path
) -> None:
    rounded = {name: tensor.to(dtype) for name, tensor in generator.state_dict().items()}
    generator.load_state_dict(rounded)
    path = tmp_path / "rounded.pt"
    save(rounded, path)
    same_images(path, generator)


@pytest.mark.parametrize("name", ["dcgan", "autogan", "fastgan", "biggan"])
def test_buffers_that_do_not_matter_may_be_left_out(name: str, tmp_path: Path) -> None:
    original = networks.make_network(name)
    kept = {
        key: tensor
        for key, tensor in original.state_dict().items()
        if not key.endswith(("num_batches_tracked", ".sv0"))
    }
    path = tmp_path / "old.pth"
    torch.save(kept, path)
    same_images(path, original)


def test_an_average_that_is_left_out_is_estimated(tmp_path: Path) -> None:
    original = networks.make_network("stylegan3_t")
    kept = {k: v for k, v in original.state_dict().items() if k != "mapping.w_avg"}
    path = tmp_path / "noaverage.pth"
    torch.save(kept, path)
    average = squeezespan.load_generator(path).get_buffer("mapping.w_avg")
    assert bool(average.any())


def test_a_flipped_bit_in_the_weights_is_noticed(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "flipped.pth"
    torch.save(dict(generator.state_dict()), path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        weights = (x for x in archive.infolist() if "/data/" in x.filename)
        member = max(weights, key=lambda x: x.file_size)
    data[member.header_offset + 200] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"damaged: flipped/data/\d+ is not as it was written"):
        squeezespan.load_generator(path)


def test_archives_without_checksums_open(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "plain.pth"
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(dict(generator.state_dict()), path)
    finally:
        torch.serialization.set_crc32_options(True)
    same_images(path, generator)


def test_the_clamp_of_bare_weights_is_assumed_or_chosen(tmp_path: Path) -> None:
    config = replace(networks.STYLEGAN2, conv_clamp=0.5)
    original = networks.randomized(StyleGAN2Generator(config))
    path = tmp_path / "bare.pth"
    torch.save(dict(original.state_dict()), path)
    same_images(path, original, conv_clamp=0.5)
    bare = squeezespan.load_generator(path)
    assert read_generator_header(path)["provenance"]["assumed"] == [
        "convolutions clamped at 256 (--conv-clamp)",
        "a mapping of learning-rate multiplier 0.01",
    ]
    assert getattr(bare, "config").conv_clamp == 256  # noqa: B009
    converted = tmp_path / "converted.safetensors"
    assert main(["gan", "convert", str(path), "--out", str(converted), "--conv-clamp", "0"]) == 0
    assert "clamp" not in str(read_generator_header(converted)["provenance"]["assumed"])
    none = squeezespan.load_generator(path, conv_clamp=0)
    assert getattr(none, "config").conv_clamp is None  # noqa: B009
    torch.save({"g_ema": rosinality_state(original.state_dict())}, path)
    rosinality = squeezespan.load_generator(path)
    assert getattr(rosinality, "config").conv_clamp is None  # noqa: B009


def test_what_a_stylegan2_lacks_is_named(tmp_path: Path) -> None:
    state = dict(networks.make_network("stylegan2").state_dict())
    del state["synthesis.b4.conv1.weight"]
    torch.save(state, tmp_path / "lacking.pth")
    with pytest.raises(UserError, match=r"it lacks synthesis\.b4\.conv1\.weight$"):
        squeezespan.load_generator(tmp_path / "lacking.pth")


def test_a_clamp_is_for_stylegans(tmp_path: Path) -> None:
    path = tmp_path / "dcgan.pth"
    torch.save(dict(networks.make_network("dcgan").state_dict()), path)
    with pytest.raises(UserError, match="only StyleGANs clamp"):
        squeezespan.load_generator(path, conv_clamp=1)


def test_views_of_one_storage(generator: Generator, tmp_path: Path) -> None:
    """Weights that are slices and transposes of a larger tensor keep their strides."""
    state = dict(generator.state_dict())
    for name, tensor in state.items():
        if tensor.dim() == 2:
            wide = torch.zeros(tensor.shape[1], 2 * tensor.shape[0])
            wide[:, ::2] = tensor.t()
            state[name] = wide[:, ::2].t()
    path = tmp_path / "views.pt"
    torch.save(state, path)
    same_images(path, generator)


@pytest.mark.parametrize("save", SAVERS)
@pytest.mark.parametrize("has_average", [True, False])
def test_rosinality_layout(
    has_average: bool, save: Callable[[Any, Path], None], generator: Generator, tmp_path: Path
) -> None:
    state = generator.state_dict()
    content: dict[str, Any] = {"g_ema": rosinality_state(state)}
    if has_average:
        content["latent_avg"] = state["mapping.w_avg"]
    path = tmp_path / "550000.pt"
    save(content, path)
    if not has_average:
        # Truncation pulls towards an average that is estimated where the file has none.
        opened = squeezespan.load_generator(path)
        generator.get_buffer("mapping.w_avg").copy_(opened.get_buffer("mapping.w_avg"))
    same_images(path, generator)


def test_a_file_that_was_not_loaded_by_its_name(generator: Generator, tmp_path: Path) -> None:
    """What a file is, its content tells, not its ending."""
    path = tmp_path / "zip.safetensors"
    torch.save(dict(generator.state_dict()), path)
    same_images(path, generator)
    path = tmp_path / "safetensors.pkl"
    save_file(dict(generator.state_dict()), path)
    same_images(path, generator)


@pytest.mark.parametrize("save", SAVERS)
def test_snapshots_of_modules_that_torch_saved(
    save: Callable[[Any, Path], None], generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "snapshot.pt"
    content = snapshot(pickled(generator))
    with importable():
        save(content, path)
    same_images(path, generator)


@pytest.mark.parametrize("save", SAVERS)
def test_whole_modules_of_other_classes_are_named_and_refused(
    save: Callable[[Any, Path], None], generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "module.pt"
    save({"G_ema": generator}, path)
    named = r"G_ema has a part of squeezespan\.generators\.stylegan2.*save the.*state_dict"
    with pytest.raises(UserError, match=named):
        squeezespan.load_generator(path)


class Options:
    """Of a class that no list knows, which is nowhere when the file is opened."""

    def __init__(self) -> None:
        self.lr = 0.002


class Settings(dict[str, Any]):
    """The same, as a dict."""


class Critic(torch.nn.Module):
    """The same, as a discriminator."""

    def __init__(self) -> None:
        super().__init__()
        self.options = Options()
        self.layer = torch.nn.TransformerEncoderLayer(4, 2, 8)


class Scale(torch.nn.Module):
    """The same, as a part of a generator."""


@pytest.mark.parametrize("protocol", range(1, 6))
@pytest.mark.parametrize("save", SAVERS)
def test_unknown_classes_beside_weights(
    protocol: int, save: Callable[..., None], generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "options.pt"
    content = {
        "g_ema": generator.state_dict(),
        "args": Options(),
        "settings": Settings(lr=0.002, sizes=[1, 2]),
        "critic": Critic(),
    }
    save(content, path, pickle_protocol=protocol)
    same_images(path, generator)


@pytest.mark.parametrize("protocol", range(6))
def test_unknown_classes_beside_the_generator_of_a_snapshot(
    protocol: int, generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "snapshot.pkl"
    content = snapshot(pickled(generator)) | {
        "D": Critic(),
        "options": Options(),
        "settings": Settings(lr=0.002),
    }
    path.write_bytes(dump(content, protocol))
    same_images(path, generator)


def test_an_unknown_class_in_the_generator_is_named(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.pkl"
    network = pickled(generator)
    network.meta["state"]["_modules"]["scale"] = Scale()
    path.write_bytes(dump({"G_ema": network}))
    with pytest.raises(UserError, match=r"G_ema has a part of .*test_torch_files\.Scale, a class"):
        squeezespan.load_generator(path)


def test_calls_of_unknown_functions_stay_refused(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "snapshot.pt"
    torch.save({"g_ema": generator.state_dict(), "x": Call(Options)}, path)
    with pytest.raises(UserError, match=r"asks for .*Options, which no known checkpoint needs"):
        squeezespan.load_generator(path)


ODD_TYPES: dict[str, Callable[[Tensor], Tensor]] = {
    "float8": lambda x: x.to(torch.float8_e5m2),
    "uint16": lambda x: x.to(torch.int32).to(torch.uint16),
    "complex": lambda x: x.to(torch.complex64),
}


@pytest.mark.parametrize("name", ODD_TYPES)
@pytest.mark.parametrize("save", SAVERS)
def test_odd_types_open_beside_the_generator_and_not_in_it(
    name: str, save: Callable[[Any, Path], None], generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "odd.pt"
    state = generator.state_dict()
    odd = ODD_TYPES[name](torch.ones(3))
    save({"optimizer": {"exp_avg": odd}, "g_ema": state, "scale": odd}, path)
    same_images(path, generator)
    weight = "synthesis.b4.conv1.weight"
    save(state | {weight: ODD_TYPES[name](state[weight])}, path)
    with pytest.raises(UserError, match="odd type" if name != "complex" else "no weights by name"):
        squeezespan.load_generator(path)


def test_quantized_weights_are_refused(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "quantized.pt"
    torch.save({"g_ema": generator.state_dict(), "x": Call(torch._utils._rebuild_qtensor)}, path)
    with pytest.raises(UserError, match=r"asks for torch\._utils\._rebuild_qtensor"):
        squeezespan.load_generator(path)


def test_weights_that_share_memory_stay_equal(generator: Generator, tmp_path: Path) -> None:
    path = tmp_path / "shared.pt"
    state = dict(generator.state_dict())
    whole = torch.cat([tensor.flatten() for tensor in state.values()])
    parts = torch.split(whole, [tensor.numel() for tensor in state.values()])
    torch.save(
        {name: part.view_as(state[name]) for name, part in zip(state, parts, strict=True)}, path
    )
    same_images(path, generator)


def test_an_entry_that_only_another_reader_looks_at_changes_nothing(
    generator: Generator, tmp_path: Path
) -> None:
    path = tmp_path / "alignment.pt"
    entries = unpack(dict(generator.state_dict()))
    entries["archive/.storage_alignment"] = b"9" * 10_000
    path.write_bytes(pack(entries))
    same_images(path, generator)


@pytest.mark.parametrize("name", ["os.system in an archive", "eval as a weight"])
def test_torch_s_environment_variables_change_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    canary = Canary(tmp_path / "canary")
    path = tmp_path / "hostile.pt"
    write(path, ARCHIVES[name](canary))
    with pytest.raises(UserError, match="which no known checkpoint needs"):
        squeezespan.load_generator(path)
    assert not canary.path.exists()


def test_a_discriminator_alone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "D.pt"
    torch.save(networks.make_discriminator().state_dict(), path)
    with pytest.raises(UserError, match="a discriminator but no generator"):
        squeezespan.load_generator(path)


@pytest.mark.parametrize("save", SAVERS)
def test_a_file_is_opened_once(
    save: Callable[[Any, Path], None],
    generator: Generator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = tmp_path / "once.pt"
    save({"g_ema": generator.state_dict()}, path)
    opened: list[Path] = []
    truly = Path.open

    def noted(self: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(self)
        return truly(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", noted)
    squeezespan.load_generator(path)
    assert opened == [path]
