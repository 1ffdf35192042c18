"""`gan inspect`, `convert` and `sample` on every family, as a user calls them."""

import re
from pathlib import Path

import pytest
import torch
from checkpoint_files.networks import FAMILIES, make_discriminator, make_network
from PIL import Image
from tiny_runs import make_images, make_student_file

from squeezespan.cli.main import main
from squeezespan.discriminators.files import save_discriminator
from squeezespan.gan.speed import GanSpeed
from squeezespan.generators import load_generator, read_generator_header
from squeezespan.generators.autogan import AutoGANConfig, AutoGANGenerator
from squeezespan.models.student_file import STUDENT_FILE
from squeezespan.randomness import StepRandom

GENOTYPE = "0,1,2,1,0,2,2,0,1,1,1,0,1,2"


def foreign_file(name: str, folder: Path) -> Path:
    """Weights as other people keep them: no configuration, only names and tensors."""
    path = folder / f"{name}.pth"
    if name == "super_network":
        torch.manual_seed(0)
        numbers = tuple(map(int, GENOTYPE.split(",")))
        config = AutoGANConfig(z_dim=4, width=4, genotype=numbers, search_network=True)
        torch.save(AutoGANGenerator(config).state_dict(), path)
    elif name == "discriminator":
        torch.save(make_discriminator().state_dict(), path)
    else:
        torch.save({"epoch": 1, "g_ema": make_network(name).state_dict()}, path)
    return path


@pytest.mark.parametrize("name", FAMILIES)
def test_convert_keeps_the_generator_and_inspect_describes_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = foreign_file(name, tmp_path)
    once, twice = tmp_path / "once.safetensors", tmp_path / "twice.safetensors"
    assert main(["gan", "convert", str(file), "--out", str(once)]) == 0
    assert main(["gan", "convert", str(once), "--out", str(twice)]) == 0
    assert capsys.readouterr().out == f"{once}\n{twice}\n"
    assert once.read_bytes() == twice.read_bytes()

    original, converted = make_network(name), load_generator(once)
    latents = original.sample_latents(2, StepRandom(0))
    expected, found = original(latents), converted(latents)
    assert torch.allclose(found.images, expected.images, atol=1e-6)
    for block, feature in expected.features.items():
        assert torch.allclose(found.features[block], feature, atol=1e-6)
    assert converted.info == original.info
    provenance = read_generator_header(once)["provenance"]
    assert provenance["file"] == file.name
    assert provenance["network"] == "g_ema"

    assert main(["gan", "inspect", str(once), "--seconds", "0", "--device", "cpu"]) == 0
    page = capsys.readouterr().out
    info = original.info
    assert re.search(rf"^family +{info.family}$", page, re.M)
    assert re.search(r"^variant +\w", page, re.M)
    assert re.search(rf"^image +3 x {info.resolution} x {info.resolution}$", page, re.M)
    assert re.search(rf"^latents +z {info.z_dim}, (w {info.w_dim} for|no mapping)", page, re.M)
    assert re.search(r"^classes +(3 \(0 to 2\)|none, it is unconditional)$", page, re.M)
    assert re.search(r"^FLOPs an image +[\d.]+ [GM]", page, re.M)
    assert "speed" not in page
    for block, channels in info.block_channels.items():
        side = block[1:]
        assert re.search(rf"^{block} +{channels}  {side} x {side}", page, re.M)


def test_inspect_says_where_stylegan3_s_features_come_from_and_how_fast_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = foreign_file("stylegan_xl_superresolution", tmp_path)
    assert main(["gan", "inspect", str(file), "--seconds", "0.01", "--batch-size", "1"]) == 0
    page = capsys.readouterr().out
    assert re.search(r"^b16 .*  L\d+_36_\d+, cropped by 10 pixels a side$", page, re.M)
    assert re.search(r"^b32 .*  L\d+_32_\d+$", page, re.M)
    assert re.search(r"^speed +[\d.e+-]+ images/s \(.*, batch 1\)$", page, re.M)


def test_sample_draws_classes_by_column(tmp_path: Path) -> None:
    file, out = foreign_file("biggan", tmp_path), tmp_path / "grid.png"
    options = ["--columns", "3", "--num-images", "6", "--label", "2", "0", "1", "--seed", "4"]
    assert main(["gan", "sample", str(file), "--out", str(out), *options]) == 0
    generator = make_network("biggan")
    labels = torch.tensor([2, 0, 1, 2, 0, 1])
    latents = generator.sample_latents(6, StepRandom(4, stream="samples"), labels)
    expected = (generator(latents).images * 127.5 + 128).clamp(0, 255).to(torch.uint8)
    with Image.open(out) as image:
        assert image.size == (48, 32)
        corner = image.crop((32, 16, 48, 32)).tobytes()
    assert corner == expected[5].permute(1, 2, 0).contiguous().numpy().tobytes()


@pytest.mark.parametrize(("columns", "rows"), [(3, 21), (5, 12), (100, 1)])
def test_the_usual_number_of_images_fills_the_last_row(
    columns: int, rows: int, tmp_path: Path
) -> None:
    file, out = foreign_file("biggan", tmp_path), tmp_path / "grid.png"
    assert main(["gan", "sample", str(file), "--out", str(out), "--columns", str(columns)]) == 0
    with Image.open(out) as image:
        assert image.size == (16 * columns, 16 * rows)


def test_inspect_keeps_long_stories_within_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["gan", "inspect", "builtin:stylegan2-cifar10", "--seconds", "0"]) == 0
    page = capsys.readouterr().out.splitlines()
    assert max(map(len, page)) <= 120
    assert any(line.startswith("score: ") for line in page)


def test_a_folder_of_the_hub_names_the_file_to_give(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    weights = tmp_path / "pytorch_model.bin"
    torch.save(make_network("biggan").state_dict(), weights)
    assert main(["gan", "inspect", str(tmp_path)]) == 2
    assert f"give the checkpoint in it, such as {weights}" in capsys.readouterr().err
    assert main(["gan", "inspect", str(weights), "--seconds", "0"]) == 0


@pytest.mark.parametrize("name", ["stylegan3_t", "fastgan", "dcgan"])
def test_a_sample_does_not_depend_on_images_at_a_time(name: str, tmp_path: Path) -> None:
    file = foreign_file(name, tmp_path)
    grids = []
    for size in ("1", "4"):
        out = tmp_path / f"{size}.png"
        options = ["--num-images", "4", "--batch-size", size]
        assert main(["gan", "sample", str(file), "--out", str(out), *options]) == 0
        with Image.open(out) as image:
            grids.append(torch.tensor(list(image.tobytes())))
    assert int((grids[0] - grids[1]).abs().max()) <= 1


def test_a_genotype_is_given_once_and_kept_by_convert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = foreign_file("super_network", tmp_path), tmp_path / "kept.safetensors"
    assert main(["gan", "convert", str(file), "--out", str(out), "--genotype", GENOTYPE]) == 0
    assert main(["gan", "inspect", str(out), "--seconds", "0"]) == 0
    assert f"super-network, genotype {GENOTYPE}" in capsys.readouterr().out


def test_batch_statistics_are_chosen_once_and_kept_by_convert(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = foreign_file("biggan", tmp_path), tmp_path / "kept.safetensors"
    assert main(["gan", "inspect", str(file), "--seconds", "0"]) == 0
    assert "stored statistics" in capsys.readouterr().out
    assert main(["gan", "convert", str(file), "--out", str(out), "--batch-statistics"]) == 0
    assert main(["gan", "inspect", str(out), "--seconds", "0"]) == 0
    assert "each batch's statistics" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "command", "message"),
    [
        ("discriminator", "inspect FILE", "holds a discriminator but no generator"),
        ("discriminator", "sample FILE --out OUT.png", "holds a discriminator but no generator"),
        ("biggan", "sample FILE --out OUT.png --label 3", "this generator's are 0 to 2"),
        ("biggan", "sample FILE --out OUT.png --label x", "--label takes [INT"),
        ("biggan", f"sample FILE --out OUT.png --label {10**30}", "whole numbers from 0 to 2"),
        ("dcgan", "sample FILE --out OUT.png --label 0", "is unconditional and takes no class"),
        ("fastgan", "sample FILE --out OUT.png --truncation 0.5", "FastGAN normalizes z"),
        ("dcgan", "sample FILE --out OUT.gif", "must end in .png"),
        ("dcgan", "convert FILE --out OUT.pth", "must end in .safetensors"),
        ("dcgan", "convert FILE --out FILE", "exists already"),
        ("dcgan", "inspect FILE --genotype a", "this is a dcgan; only AutoGAN has a genotype"),
        ("dcgan", "inspect FILE --batch-statistics", "only BigGAN can take each batch's"),
        ("autogan", "inspect FILE --genotype b", "is of another variant"),
        ("super_network", "inspect FILE", "give the genotype"),
        ("super_network", "inspect FILE --genotype 1,2", "14 numbers"),
        ("super_network", "inspect FILE --genotype derived", "no AutoGAN variant 'derived'"),
        ("dcgan", "inspect registered:nobody", "squeezespan.register_generator does that"),
        ("dcgan", "inspect nowhere.pkl", "there is no checkpoint file nowhere.pkl"),
    ],
)
def test_what_is_wrong_gets_one_line(
    name: str,
    command: str,
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = foreign_file(name, tmp_path)
    out = str(tmp_path / "out")
    words = [x.replace("FILE", str(file)).replace("OUT", out) for x in command.split()]
    assert main(["gan", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert message in printed.err
    assert not list(tmp_path.glob("out*"))


def test_images_that_are_not_finite_are_no_sample(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = torch.nn.Sequential(
        *(torch.nn.ConvTranspose2d(8, 4, 4), torch.nn.BatchNorm2d(4), torch.nn.ReLU()),
        torch.nn.ConvTranspose2d(4, 3, 4, 2, 1),
    )
    state = network.state_dict()
    state["1.running_var"].fill_(-1)
    torch.save(state, tmp_path / "odd.pth")
    out = tmp_path / "grid.png"
    assert main(["gan", "sample", str(tmp_path / "odd.pth"), "--out", str(out)]) == 2
    assert "makes images that are not finite numbers" in capsys.readouterr().err
    assert not out.exists()


def test_a_discriminator_of_our_own_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "discriminator.safetensors"
    save_discriminator(file, make_discriminator(), {})
    assert main(["gan", "inspect", str(file)]) == 2
    assert "holds a discriminator, not a generator" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", STUDENT_FILE])
def test_a_student_is_sent_to_the_commands_that_take_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_student_file(tmp_path / STUDENT_FILE)
    assert main(["gan", "inspect", str(tmp_path / name)]) == 2
    told = capsys.readouterr().err
    assert "holds a student, not a generator; `squeezespan probe`, embed" in told
    # A checkpoint beside it is what the folder is named for.
    (tmp_path / "weights.pth").touch()
    if not name:
        assert main(["gan", "inspect", str(tmp_path)]) == 2
        assert f"such as {tmp_path / 'weights.pth'}" in capsys.readouterr().err


def test_a_dry_run_of_a_training_fits_on_a_screen_and_ends_with_what_it_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    speed = GanSpeed(36.0, 2_500_000_000)
    monkeypatch.setattr("squeezespan.gan.train.measure_speed", lambda *_: speed)
    command = ["gan", "train", "--preset", "stylegan2-cpu", "--kimg", "1000", "--dry-run"]
    command += ["--data", make_images(tmp_path / "images"), "--out", str(tmp_path / "run")]
    assert main(command) == 0
    page = capsys.readouterr().out.splitlines()
    assert len(page) <= 40
    assert max(map(len, page)) <= 100
    rows = dict(re.split("  +", line, maxsplit=1) for line in page if re.match("[a-z]+  ", line))
    assert rows["length"] == "31250 steps of 32 images, 1000 kimg"
    assert rows["time"] == "10 h 0 min (36 s a kimg, measured here), checks not counted"
    assert rows["memory"] == "2.5 GB"
    assert list(rows)[-2:] == ["time", "memory"]
    assert "--loss.r1-gamma 0.01" in " ".join(" ".join(page).split())
    assert not (tmp_path / "run").exists()
