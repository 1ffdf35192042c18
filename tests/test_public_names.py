"""The names that other people's code may import."""

import subprocess
import sys

import pytest

import squeezespan
from squeezespan.errors import UserError


@pytest.mark.parametrize("name", squeezespan.__all__)
def test_public_name_loads_and_is_documented(name: str) -> None:
    assert name in dir(squeezespan)
    assert getattr(squeezespan, name).__doc__


def test_public_name_is_the_same_object_as_at_home() -> None:
    assert squeezespan.UserError is UserError


def test_other_names_do_not_exist() -> None:
    assert not hasattr(squeezespan, "no_such_name")


def test_importing_the_package_does_not_load_torch() -> None:
    check = "import sys, squeezespan; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
