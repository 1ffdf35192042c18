"""Every snippet of README and of the pages in docs runs, on small files of the names in it.

`docs/generators.md`, the Python of `docs/exports.md` and `docs/how-to/sweeps.md`, and the notebook
have tests of their own. A training is cut to its plan (`--dry-run`), or to two steps; the demo's
commands are read by its own parser.
"""

import csv
import dataclasses
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import option_reference as reference
import pytest
import torch
from tiny_runs import make_gan, make_images, make_student_file

import squeezespan
from squeezespan.cli import demo
from squeezespan.cli.arguments import parse
from squeezespan.cli.main import main
from squeezespan.cli.options import list_options
from squeezespan.config import DistillConfig
from squeezespan.discriminators.files import save_discriminator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.distillation.speed import RunSpeed
from squeezespan.finetuning.config import FinetuneTrainConfig
from squeezespan.gan.speed import GanSpeed
from squeezespan.generators.dcgan import DCGANConfig, DCGANGenerator
from squeezespan.models.student_file import STUDENT_FILE

ROOT = Path(__file__).parents[1]
OWN_PYTHON = ("generators.md", "exports.md", "sweeps.md")
NOTEBOOK = ROOT / "docs" / "notebooks" / "first-backbone.ipynb"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
RESULTS = sorted((ROOT / "results").rglob("README.md"))
SMALLER = {
    "distill": ["--dry-run", "--batch-size", "8", "--images.resolution", "32", "--out", "new"],
    "finetune": ["--epochs", "1"],
    "gan train": ["--dry-run", "--out", "new"],
    "reproduce": ["--dry-run"],
    "analyze cka": ["--num-images", "16", "--batch-size", "8"],
    "analyze map": ["--num-images", "24"],
    "gan score": ["--num-images", "6", "--num-real", "6", "--batch-size", "3"],
}
"""What is added to a command, so that it takes no longer than a test may."""


def snippets(page: Path, language: str) -> list[str]:
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.S)
    return found


def commands() -> Iterator[tuple[str, str]]:
    """Give each command once, with the first page that has it."""
    seen = set()
    for page in PAGES:
        if page.name == "generators.md":
            continue
        for snippet in snippets(page, "sh"):
            for line in snippet.replace("\\\n", " ").splitlines():
                words = tuple(shlex.split(line, comments=True))
                if words not in seen:
                    yield page.relative_to(ROOT).as_posix(), line
                seen.add(words)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a file of each name that the pages use."""
    folder = tmp_path_factory.mktemp("files")
    make_gan(folder / "GAN.safetensors")
    make_gan(folder / "runs" / "gan" / "generator.safetensors")
    sizes = StyleGAN2DiscriminatorConfig(32, channel_base=1536, channel_max=256, mbstd_group_size=8)
    file = folder / "runs" / "gan" / "discriminator.safetensors"
    save_discriminator(file, StyleGAN2Discriminator(sizes), {})
    make_images(folder / "IMAGES", per_class=260)
    make_images(folder / "LABELLED")
    shutil.copytree(folder / "LABELLED" / "train", folder / "LABELLED" / "test")
    for name in ("mine", "faces"):
        make_student_file(folder / "runs" / name / STUDENT_FILE)
    faces = folder / "faces" / "gan_face_generate"
    faces.mkdir(parents=True)
    network = DCGANGenerator(DCGANConfig(widths=(8, 8, 8, 8)))
    torch.save({"netG_state_dict": network.state_dict()}, faces / "weights.tar")
    return folder


@pytest.mark.parametrize(("page", "line"), list(commands()))
def test_commands_run(
    page: str,
    line: str,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del page
    program, *arguments = shlex.split(line, comments=True)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text("utf-8")
        assert all(re.search(rf"^{verb}:", makefile, re.M) for verb in arguments)
        return
    if program == "python":
        assert (ROOT / arguments[0]).is_file()
        return
    if program == "torchrun":
        # On this one process; what several do, tests of their own see.
        program, *arguments = arguments[arguments.index("-m") + 1 :]
    assert program == "squeezespan"
    monkeypatch.chdir(files)
    if arguments[0] == "demo":
        assert parse(demo.Options, arguments[1:], prog="squeezespan demo", description="").minutes
        return
    verb = " ".join(arguments[:2]) if arguments[0] in ("gan", "analyze") else arguments[0]
    if verb == "gan score":
        pytest.importorskip("torch_fidelity")
    if verb == "export" and "onnx" in arguments:
        pytest.importorskip("onnxscript")
    # Networks of the published sizes take a CPU minutes.
    monkeypatch.setattr("squeezespan.gan.train.measure_speed", lambda *_: GanSpeed(1.0, 1))
    monkeypatch.setattr("squeezespan.experiments.reproduce.step_seconds", lambda *_: 1.0)
    speed = RunSpeed(1.0, 1.0, 1)
    monkeypatch.setattr("squeezespan.distillation.distill.measure_run", lambda *_: speed)
    assert main([*arguments, *SMALLER.get(verb, [])]) == 0, capsys.readouterr().err


def two_steps(config: DistillConfig, out: str) -> Path:
    """`squeezespan.distill`, cut short."""
    train = dataclasses.replace(config.train, max_steps=2, batch_size=8, device="cpu")
    monitor = dataclasses.replace(config.monitor, knn_every=0)
    source = dataclasses.replace(config.source, statistics_images=8)
    small = dataclasses.replace(
        config, data="folder:images", train=train, monitor=monitor, source=source
    )
    return _DISTILL(small, out)


def one_pass(run: Path, data: str, out: str, **settings: Any) -> Path:
    """`squeezespan.finetune`, cut short."""
    return _FINETUNE(run, data, out, train=FinetuneTrainConfig(epochs=1, device="cpu"), **settings)


_DISTILL, _FINETUNE = squeezespan.distill, squeezespan.finetune


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.name not in OWN_PYTHON and snippets(page, "python")],
    ids=lambda page: page.name,
)
def test_python_snippets_run_one_after_the_other(
    page: Path, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(squeezespan, "distill", two_steps)
    monkeypatch.setattr(squeezespan, "finetune", one_pass)
    shutil.copytree(files / "runs" / "faces", tmp_path / "runs" / "faces")
    data = make_images(tmp_path / "images")
    shutil.copytree(tmp_path / "images" / "train", tmp_path / "images" / "test")
    images = torch.zeros(2, 3, 32, 32, dtype=torch.uint8)
    names: dict[str, Any] = {"images": images}
    for snippet in snippets(page, "python"):
        small = snippet.replace("builtin:cifar10-mini", data)
        exec(compile(small, str(page), "exec"), names)
    if page.name == "README.md":
        assert names["features"].shape == (2, names["backbone"].num_features)
        assert names["generated"].images.shape == (8, 3, 32, 32)
        assert list(names["generated"].features) == ["b4", "b8", "b16", "b32"]


def test_a_sweep_makes_a_table(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The loop's commands are those of a shell; the first two of them run, shorter."""
    if shutil.which("bash") is None:
        pytest.skip("needs bash")
    page = ROOT / "docs" / "how-to" / "sweeps.md"
    (loop,) = snippets(page, "bash")
    shown = 'squeezespan() { echo "$@"; }\n' + loop
    printed = subprocess.run(["bash", "-euc", shown], check=True, capture_output=True, text=True)
    commands = [shlex.split(line) for line in printed.stdout.splitlines()]
    assert [command[0] for command in commands] == ["distill", "probe"] * 6
    assert len({tuple(command) for command in commands}) == 12

    for name in ("IMAGES", "LABELLED", "GAN.safetensors"):
        (tmp_path / name).symlink_to(files / name)
    monkeypatch.chdir(tmp_path)
    (distill, probe), shorter = commands[:2], ["--max-steps", "2", "--batch-size", "8"]
    shorter += ["--source.statistics-images", "8", "--monitor.knn-every", "1"]
    assert main([*distill, *shorter, "--device", "cpu"]) == 0, capsys.readouterr().err
    assert main(probe) == 0
    names: dict[str, Any] = {}
    for snippet in snippets(page, "python"):
        exec(compile(snippet, str(page), "exec"), names)
    (row,) = csv.DictReader((tmp_path / "sweep" / "knn.csv").read_text().splitlines())
    assert (row["run"], row["base_lr"], row["seed"]) == ("rate-0.03-seed-0", "0.03", "0")
    assert float(row["low"]) <= float(row["accuracy"]) <= float(row["high"])
    assert 0 <= names["held_out_accuracy"](tmp_path / "sweep" / row["run"]) <= 1


def test_the_notebook_runs_and_has_no_outputs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(squeezespan, "distill", two_steps)
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    data = make_images(tmp_path / "images")
    shutil.copytree(tmp_path / "images" / "train", tmp_path / "images" / "test")
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    names: dict[str, Any] = {}
    for cell in cells:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            small = "".join(cell["source"]).replace("builtin:cifar10-mini", data)
            exec(compile(small, NOTEBOOK.name, "exec"), names)
    # An image is its own nearest neighbour.
    assert names["nearest"][:, 0].tolist() == names["queries"].tolist()
    assert 0 <= names["result"]["accuracy"] <= 1


@pytest.mark.parametrize("page", [*PAGES, *RESULTS, NOTEBOOK], ids=lambda page: page.name)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_text_exist(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    named = set(re.findall(r"`squeezespan ((?:gan |analyze )?[a-z]+)\b", page.read_text("utf-8")))
    for command in sorted(named - {"gan", "analyze"}):
        assert main([*command.split(), "--help"]) == 0
    capsys.readouterr()


def known_options(code: str) -> set[str] | None:
    """Give the options of a command, the names of a program; None of anything else."""
    words = code.split()
    if words[0] == "python" and (program := ROOT / words[1]).is_file():
        names = re.findall(r"[a-z][a-z_-]+", program.read_text("utf-8"))
        return {"--" + name.replace("_", "-") for name in names}
    if words[0] != "squeezespan" or not words[1].islower() or words[1].startswith("-"):
        return None
    known = reference.commands()
    module = known.get(" ".join(words[1:3]), known.get(words[1]))
    assert module is not None, code
    return {"--help", *(flag for option in list_options(module.Options) for flag in option.flags)}


@pytest.mark.parametrize("page", [*PAGES, *RESULTS], ids=lambda page: str(page.relative_to(ROOT)))
def test_options_in_the_text_are_those_of_their_command(page: Path) -> None:
    for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", page.read_text("utf-8")):
        given = set(re.findall(r"(?<![\w-])--[a-z][\w.-]*", code))
        known = known_options(code.removeprefix("OMP_NUM_THREADS=1 ")) if given else None
        assert known is None or given <= known, code


@pytest.mark.parametrize("page", [*PAGES, *RESULTS], ids=lambda page: str(page.relative_to(ROOT)))
def test_code_is_no_wider_than_a_page_of_the_site(page: Path) -> None:
    """Commands wrap there, and so does what a `console` shows; other code has to be scrolled."""
    text = re.sub(r"```(sh|bash|console|\{).*?```", "", page.read_text("utf-8"), flags=re.S)
    blocks = re.findall(r"```\w*\n(.*?)```", text, re.S)
    blocks += re.findall(r"^    (.*)", text, re.M)
    assert not [line for block in blocks for line in block.splitlines() if len(line) > 90]
