"""What is imported is declared, and what is declared is imported."""

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_DEVELOPMENT = {"dev", "docs", "mutation"}
_COLLECTIONS = {"all", "tracking"}
"""Extras that only join others."""
_PROGRAMS = {"furo", "mypy", "myst-parser", "pytest", "ruff", "types-docutils", "types-tqdm"}
"""Run, or named in a configuration, not imported."""
_BEHIND = {"torch.utils.tensorboard": "tensorboard"}
"""Modules of one distribution that stand for another."""


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> dict[str, set[str]]:
    """Distributions by extra; "" has those that are always installed."""
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {normalized(re.split(r"[\[<>=!~; ]", line)[0]) for line in lines} - {"squeezespan"}
        for extra, lines in groups.items()
        if extra not in _COLLECTIONS
    }


@cache
def distributions() -> dict[str, list[str]]:
    """Import names to the distributions that bring them, whether or not they are installed."""
    rarely_installed = {name: [name] for name in ("mlflow", "mutmut", "wandb")}
    rarely_installed["umap"] = ["umap-learn"]
    return {**packages_distributions(), **rarely_installed}


def imported(*folders: str) -> Iterator[str]:
    """Distributions, by name, that the files in `folders` import, wherever in a file."""
    known = distributions()
    for folder in folders:
        for file in (_ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Import):
                    names = [alias.name for alias in node.names]
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names = [node.module]
                else:
                    continue
                for name in names:
                    found = _BEHIND.get(name) or known.get(name.partition(".")[0], [None])[0]
                    if found:
                        yield normalized(found)


def test_the_package_imports_what_it_declares_and_nothing_else() -> None:
    groups = declared()
    of_users = set().union(*(names for extra, names in groups.items() if extra not in _DEVELOPMENT))
    assert set(imported("src")) - {"squeezespan"} == of_users


def test_development_imports_what_it_declares() -> None:
    groups = declared()
    everything = set().union(*groups.values())
    folders = ("src", "tests", "benchmarks", "docs", "examples", "tools")
    used = set(imported(*folders)) - {"squeezespan"}
    assert used - everything == set()
    only_development = set().union(*(groups[extra] for extra in _DEVELOPMENT))
    assert only_development - used - _PROGRAMS == set()


def test_what_is_always_needed_is_not_optional() -> None:
    """A module that is imported at the top of a file can't be an extra's."""
    groups = declared()
    known = distributions()
    for file in (_ROOT / "src").rglob("*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            name = ""
            if isinstance(node, ast.Import):
                name = node.names[0].name
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                name = node.module
            for distribution in known.get(name.partition(".")[0], []):
                if normalized(distribution) != "squeezespan":
                    assert normalized(distribution) in groups[""], (file, name)


@pytest.mark.parametrize("extra", sorted(_COLLECTIONS))
def test_extras_that_join_others_leave_none_out(extra: str) -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (line,) = project["optional-dependencies"][extra]
    joined = set(re.search(r"\[(.*)\]", line)[1].split(","))  # type: ignore[index]
    loggers = {"tensorboard", "wandb", "mlflow"}
    of_users = set(project["optional-dependencies"]) - _DEVELOPMENT - _COLLECTIONS
    assert joined == (loggers if extra == "tracking" else (of_users - loggers) | {"tracking"})
