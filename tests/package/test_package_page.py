"""README on an index's page, with and without a public address."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import cast

import pytest

_ROOT = Path(__file__).parents[2]
_TOOL = runpy.run_path(str(_ROOT / "tools" / "package_page.py"))
page = cast(Callable[[str, str], str], _TOOL["page"])
addresses = cast(Callable[[str], dict[str, str]], _TOOL["addresses"])

_HOME = "https://forge.example/them/squeezespan"
_TEXT = "![two\nlines](docs/a.png) [`docs`](docs/index.md#top) [there](#here) [far](https://x.y/z)"


def test_links_are_absolute() -> None:
    assert page(_TEXT, f"{_HOME}/") == (
        f"![two\nlines]({_HOME}/raw/HEAD/docs/a.png) [`docs`]({_HOME}/blob/HEAD/docs/index.md#top) "
        "[there](#here) [far](https://x.y/z)"
    )
    assert addresses(f"{_HOME}/")["Issues"] == f"{_HOME}/issues"


def test_without_an_address_words_are_left() -> None:
    assert page(_TEXT, "") == "*two lines* `docs` [there](#here) [far](https://x.y/z)"
    assert list(addresses("")) == ["Paper"]


def test_every_file_that_readme_links_to_exists() -> None:
    absolute = page((_ROOT / "README.md").read_text("utf-8"), _HOME)
    linked = [part.partition(")")[0] for part in absolute.split("/HEAD/")[1:]]
    assert len(linked) > 10
    assert all((_ROOT / target.partition("#")[0]).exists() for target in linked)


@pytest.mark.parametrize("home", [None, "github.com/them/squeezespan", 1])
def test_an_address_that_is_none_is_refused(home: object) -> None:
    hook = _TOOL["PackagePage"](str(_ROOT), {"home": home})
    with pytest.raises(ValueError, match="must be an https:// address or empty"):
        hook.update({})
