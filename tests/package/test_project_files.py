"""What a forge and a container builder read names what exists."""

import json
import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from squeezespan.cli.main import COMMANDS

_ROOT = Path(__file__).parents[2]
_VERBS = set(re.findall(r"^([a-z-]+):.*## ", (_ROOT / "Makefile").read_text("utf-8"), re.M))
_TEMPLATES = sorted((_ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def dockerfile(instruction: str) -> list[str]:
    """The arguments of each of its lines that begin so."""
    text = (_ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    return [line.split(maxsplit=1)[1] for line in text.splitlines() if line.startswith(instruction)]


def test_what_the_image_copies_is_there_and_let_through() -> None:
    copied = [source for line in dockerfile("COPY ") for source in line.split()[:-1]]
    let_through = {
        line[1:]
        for line in (_ROOT / ".dockerignore").read_text("utf-8").splitlines()
        if line.startswith("!")
    }
    assert set(copied) == let_through
    assert all((_ROOT / source).exists() for source in copied)


def test_the_image_has_what_the_build_reads() -> None:
    pyproject = (_ROOT / "pyproject.toml").read_text("utf-8")
    named = re.findall(r'"([\w./]+\.py|LICENSE|src/\w+)"', pyproject)
    copied = [source for line in dockerfile("COPY ") for source in line.split()[:-1]]
    assert {"tools/package_page.py", "LICENSE", "src/squeezespan"} <= set(named)
    assert all(any(Path(name).is_relative_to(source) for source in copied) for name in named)


def test_the_image_runs_a_command() -> None:
    (program,), (command, *_) = (json.loads(dockerfile(x)[0]) for x in ("ENTRYPOINT", "CMD"))
    assert program == "squeezespan"
    assert command in COMMANDS


def test_the_image_pins_what_the_tests_pin() -> None:
    installs = [line for line in dockerfile("RUN ") if "pip install" in line]
    assert installs
    assert all("-c constraints.txt" in line for line in installs)


def test_continuous_integration_uses_verbs_that_exist() -> None:
    workflow = YAML(typ="safe").load(_ROOT / ".github" / "workflows" / "ci.yml")
    runs = [
        shlex.split(step["run"])
        for job in workflow["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    made = {words[1] for words in runs if words[0] == "make"}
    local = re.findall(r"^make (\S+)", (_ROOT / ".ci" / "run").read_text("utf-8"), re.M)
    assert local == ["test", "check", "docs"]
    assert {*local, "test-lowest", "package"} <= made <= _VERBS


def test_contributors_read_of_every_verb() -> None:
    told = re.findall(r"^\| `make ([a-z-]+)`", (_ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.M)
    assert set(told) == _VERBS - {"help"}


@pytest.mark.parametrize("template", _TEMPLATES, ids=lambda path: path.stem)
def test_issue_templates_are_forms(template: Path) -> None:
    form = YAML(typ="safe").load(template)
    fields = {field["id"]: field for field in form["body"]}
    assert {"name", "description", "labels"} <= form.keys()
    assert "squeezespan --version" in fields["version"]["attributes"]["label"]
    assert fields["version"]["validations"]["required"]
    commands = re.findall(r"`squeezespan ([a-z]+)", template.read_text("utf-8"))
    assert set(commands) <= set(COMMANDS)
