"""Published StyleGAN and Projected GAN pickles open and give the images of what was pickled."""

import collections
import io
import pickle
import pickletools
from pathlib import Path

import pytest
import torch
from checkpoint_files import networks
from checkpoint_files.comparing import same_images
from checkpoint_files.judging import pickled_discriminator
from checkpoint_files.persistence import dump, persistent, snapshot
from checkpoint_files.pickling import pickled
from checkpoint_files.stylegan import StyleGAN2Parts

from squeezespan.discriminators.files import load_discriminator
from squeezespan.generators.checkpoints.reader import read_checkpoint

PICKLED = [name for name in networks.FAMILIES if name.startswith(("stylegan", "fastgan"))]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", PICKLED)
def test_snapshots(name: str, protocol: int, tmp_path: Path) -> None:
    generator = networks.make_network(name)
    path = tmp_path / "network-snapshot.pkl"
    path.write_bytes(dump(snapshot(pickled(generator)), protocol))
    same_images(path, generator)


@pytest.mark.parametrize("name", ["stylegan2", "stylegan3_r", "stylegan_xl"])
def test_files_written_with_dill_on_a_gpu(name: str, tmp_path: Path) -> None:
    dill = pytest.importorskip("dill")
    generator = networks.make_network(name)
    progress = {"cur_nimg": torch.LongTensor([25_000]), "best_fid": 9999.0}
    content = snapshot(pickled(generator), progress=progress)
    path = tmp_path / "best_model.pkl"
    path.write_bytes(dump(content, location="cuda:0", dill=dill))
    assert b"cuda:0" in path.read_bytes()
    same_images(path, generator)


@pytest.mark.parametrize("name", ["stylegan2", "stylegan3_t"])
def test_files_of_old_versions_of_torch_and_numpy(name: str, tmp_path: Path) -> None:
    generator = networks.make_network(name)
    content = snapshot(pickled(generator, container=collections.OrderedDict))
    data = dump(content, 3).replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")
    assert b"numpy._core" not in data
    path = tmp_path / "old.pkl"
    path.write_bytes(data)
    same_images(path, generator)


def test_flat_arguments_of_the_stylegan3_repository(tmp_path: Path) -> None:
    generator = networks.make_network("stylegan2")
    parts = StyleGAN2Parts(networks.STYLEGAN2, flat=True)
    path = tmp_path / "flat.pkl"
    path.write_bytes(dump(snapshot(persistent(generator, parts))))
    same_images(path, generator)


def test_the_network_alone(tmp_path: Path) -> None:
    generator = networks.make_network("stylegan2")
    path = tmp_path / "alone.pkl"
    path.write_bytes(dump(pickled(generator)))
    same_images(path, generator)


def test_the_average_is_taken_before_the_last_weights(tmp_path: Path) -> None:
    average, last = networks.make_network("stylegan2"), networks.make_network("stylegan2")
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.mul_(0.5)
    path = tmp_path / "both.pkl"
    path.write_bytes(dump({"G": pickled(last), "D": None, "G_ema": pickled(average)}))
    same_images(path, average)


def test_the_discriminator_beside_it(tmp_path: Path) -> None:
    generator, discriminator = networks.make_network("stylegan2"), networks.make_discriminator()
    judge = pickled_discriminator(discriminator)
    path = tmp_path / "both.pkl"
    path.write_bytes(dump(snapshot(pickled(generator), judge)))
    same_images(path, generator)
    images = torch.rand(4, 3, 8, 8) * 2 - 1
    with torch.no_grad():
        found, expected = load_discriminator(path)(images), discriminator(images)
    assert torch.equal(found.logits, expected.logits)


def test_weights_that_two_networks_share(tmp_path: Path) -> None:
    generator = networks.make_network("stylegan2")
    data = dump(snapshot(pickled(generator)))
    calls = sum(arg == "_load_from_bytes" for _, arg, _ in pickletools.genops(data))
    assert calls == 1, "G and G_ema should be one object in the pickle"
    path = tmp_path / "shared.pkl"
    path.write_bytes(data)
    checkpoint = read_checkpoint(path)
    states = [checkpoint.networks[name].state for name in ("G", "G_ema")]
    assert all(torch.equal(states[0][name], tensor) for name, tensor in states[1].items())


def test_the_source_in_a_pickle_is_not_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    source = f"open({str(canary)!r}, 'w').write('run')\n"
    generator = networks.make_network("stylegan2")
    path = tmp_path / "with-source.pkl"
    path.write_bytes(dump(snapshot(pickled(generator, source=source))))
    assert source.encode() in path.read_bytes()
    same_images(path, generator)
    assert not canary.exists()


def test_an_ordinary_unpickler_would_need_the_repository(tmp_path: Path) -> None:
    """The files are real: Python's own unpickler looks for the classes that they name."""
    data = dump(snapshot(pickled(networks.make_network("stylegan2"))))
    with pytest.raises(ModuleNotFoundError, match="torch_utils"):
        pickle.load(io.BytesIO(data))
