"""Looking at pages in headless Chromium as readers do: on a desk and a phone, day and night.

The page stands in frames of a page of ours, whose script writes what it found into itself
(`legibility.js`); Chromium prints that page.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from html import escape, unescape
from itertools import product
from pathlib import Path
from typing import TypedDict

import pytest

__all__ = ["assert_legible", "find_faults", "find_faults_of_parts"]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_WIDTHS = (1280, 390)
_SCRIPT = Path(__file__).with_suffix(".js")


class _View(TypedDict):
    """A part of a page at one width in one theme, as the script found it."""

    part: str
    width: int
    dark: bool
    faults: list[str]


def assert_legible(page: Path, folder: Path, part: str = "body") -> None:
    """Fail with what can't be read on a page; skip where there is no Chromium.

    Args:
        page: the HTML file.
        folder: a place for files of the browser's.
        part: CSS selector of the element whose text is looked at; that nothing scrolls sideways is
            asked of the whole page.
    """
    faults = find_faults(page, folder, part)
    assert not faults, "\n".join(faults)


def find_faults(page: Path, folder: Path, part: str = "body") -> list[str]:
    """Find what is cut off, drawn over, too small or too faint, and pages that scroll sideways."""
    return find_faults_of_parts(page, folder, [part])[part]


def find_faults_of_parts(page: Path, folder: Path, parts: Sequence[str]) -> dict[str, list[str]]:
    """Find the faults of several parts of a page, by one start of the browser."""
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        pytest.skip("needs Chromium or Chrome, which this machine lacks")
    views = _look(browser, page, folder, parts)
    seen = {(view["part"], view["width"], view["dark"]) for view in views}
    assert seen == set(product(parts, _WIDTHS, (False, True)))
    return {
        part: [
            f"{page.name} at {view['width']} pixels, {'dark' if view['dark'] else 'light'}: {fault}"
            for view in views
            if view["part"] == part
            for fault in view["faults"]
        ]
        for part in parts
    }


def _look(browser: str, page: Path, folder: Path, parts: Sequence[str]) -> list[_View]:
    frames = "".join(
        f'<iframe src="{page.resolve().as_uri()}" data-part="{escape(part)}" '
        f'width="{width}" height="844" style="border: 0; color-scheme: {scheme}"></iframe>'
        for part, width, scheme in product(parts, _WIDTHS, ("light", "dark"))
    )
    viewer = folder / "viewer.html"
    viewer.write_text(f"<script>{_SCRIPT.read_text('utf-8')}</script>{frames}", encoding="utf-8")
    command = [
        browser,
        "--headless",
        "--no-sandbox",  # which Chromium refuses to root, as containers are
        "--disable-gpu",
        "--hide-scrollbars",  # as phones do
        "--allow-file-access-from-files",
        f"--user-data-dir={folder / 'browser'}",
        "--dump-dom",
        viewer.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r'<pre id="views">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found, done.stderr[-2000:]
    views: list[_View] = json.loads(unescape(found[1]))
    return views
