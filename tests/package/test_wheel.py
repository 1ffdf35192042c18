"""What is in the wheel, and that it works where only it and what it declares are installed."""

import email
import email.message
import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import squeezespan

_ROOT = Path(__file__).parents[2]
_IN_USE = """
from pathlib import Path
import squeezespan
from squeezespan.cli.main import main
from squeezespan.reports.page import render
print(Path(squeezespan.__file__).parent)
print(squeezespan.load_generator("builtin:stylegan2-cifar10").info.resolution)
print(len(squeezespan.open_images("builtin:cifar10-mini", "test")))
print(render("base.html.j2", title="page", version="")[:15])
main(["presets"])
"""


def source_files() -> set[str]:
    """Files of the package in the checkout, by their names from `squeezespan/` on."""
    source = _ROOT / "src"
    return {
        file.relative_to(source).as_posix()
        for file in (source / "squeezespan").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_it_holds_the_package_whole_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == source_files()
    assert {Path(name).suffix for name in held} >= {".safetensors", ".xz", ".j2", ".css", ".typed"}


def test_its_version_is_the_package_s(wheel: Path) -> None:
    assert metadata(wheel)["Version"] == squeezespan.__version__
    citation = (_ROOT / "CITATION.cff").read_text("utf-8")
    assert f"\nversion: {squeezespan.__version__}\n" in citation


def test_no_link_of_its_page_needs_the_repository(wheel: Path) -> None:
    page = str(metadata(wheel).get_payload())
    targets = re.findall(r"\]\(([^)]*)\)", page)
    assert targets
    assert all(target.startswith(("https://", "#")) for target in targets)
    assert "src=" not in page
    assert "href=" not in page
    assert len(page) > 0.9 * len(re.sub(r"\]\([^)]*\)", "", (_ROOT / "README.md").read_text()))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, and this one's packages but for the package.

    They are seen through a .pth file, which doesn't follow those of the folder that it names, such
    as that of an editable installation.
    """
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout
    (Path(site.strip()) / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    install = [*pip, "install", "--no-index", "--no-deps", "--quiet", str(wheel)]
    subprocess.run(install, check=True, capture_output=True, timeout=120)
    return folder / "bin"


def output(command: list[str | Path], folder: Path) -> str:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, env=clean, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_program_starts_where_only_the_wheel_is(bare: Path, tmp_path: Path) -> None:
    assert "usage: squeezespan" in output([bare / "squeezespan", "--help"], tmp_path)


def test_what_it_ships_opens_where_only_the_wheel_is(bare: Path, tmp_path: Path) -> None:
    place, *shipped, presets = output([bare / "python", "-c", _IN_USE], tmp_path).split("\n", 4)
    assert Path(place).is_relative_to(bare.parent)
    assert shipped == ["32", "2000", "<!doctype html>"]
    assert "  squeeze-span-mini " in presets
