"""The names that other people's code may import."""

import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import pytest

import squeezespan
from squeezespan.cli.main import COMMANDS
from squeezespan.errors import UserError

_BY_OTHER_NAMES = {
    "completion": None,
    "demo": None,
    "gan": "train_gan",
    "presets": "find_preset",
    "probe": "evaluate",
    "reproduce": None,
    "transfer": None,
}
"""Commands to what does the same from Python; None where nothing does."""


def public_functions() -> Iterator[tuple[str, Callable[..., object]]]:
    """Every function that users call, those of the two modules and of presets, too."""
    for name in squeezespan.__all__:
        value = getattr(squeezespan, name)
        if inspect.ismodule(value):
            yield from ((f"{name}.{inner}", getattr(value, inner)) for inner in value.__all__)
        elif inspect.isfunction(value):
            yield name, value
    yield "Preset.build", type(squeezespan.find_preset("squeeze-span")).build


FUNCTIONS = dict(public_functions())


def has_any(hint: object) -> bool:
    return hint is Any or any(map(has_any, get_args(hint)))


@pytest.mark.parametrize("name", squeezespan.__all__)
def test_public_name_loads_and_is_documented(name: str) -> None:
    assert getattr(squeezespan, name).__doc__


def test_the_package_shows_its_public_names_and_no_others() -> None:
    assert dir(squeezespan) == sorted(squeezespan.__all__)


def test_the_package_s_docstring_tells_of_every_function() -> None:
    told = squeezespan.__doc__ or ""
    assert {name for name in squeezespan.__all__ if name[0].islower()} == {
        name for name in squeezespan.__all__ if f"`{name}`" in told
    }


def test_every_command_can_be_had_from_python() -> None:
    for command in COMMANDS:
        name = _BY_OTHER_NAMES.get(command, command)
        assert name is None or name in squeezespan.__all__, command


@pytest.mark.parametrize("name", FUNCTIONS)
def test_types_of_public_functions_say_something(name: str) -> None:
    hints = get_type_hints(FUNCTIONS[name])
    assert set(inspect.signature(FUNCTIONS[name]).parameters) <= hints.keys() | {"self"}
    assert "return" in hints
    assert not any(map(has_any, hints.values()))


def test_public_name_is_the_same_object_as_at_home() -> None:
    assert squeezespan.UserError is UserError


def test_other_names_do_not_exist() -> None:
    assert not hasattr(squeezespan, "no_such_name")


def test_importing_the_package_does_not_load_torch() -> None:
    check = "import sys, squeezespan; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
