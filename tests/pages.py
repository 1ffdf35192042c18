"""Reading pages in tests."""

from html.parser import HTMLParser
from pathlib import Path

__all__ = ["Page", "read_page"]

_LOADS = {("img", "src"), ("script", "src"), ("link", "href"), ("iframe", "src"), ("image", "href")}


class Page(HTMLParser):
    """What a page holds and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.sections: list[str] = []
        self.tags: dict[str, int] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] = self.tags.get(tag, 0) + 1
        for name, value in attrs:
            if (tag, name) in _LOADS:
                self.loaded.append(value or "")
            if (tag, name) == ("a", "href"):
                self.links.append(value or "")
            if (tag, name) == ("section", "id"):
                self.sections.append(value or "")

    @property
    def is_self_contained(self) -> bool:
        """Whether everything that the page shows stands in it."""
        inside = all(address.startswith("data:") for address in self.loaded)
        return inside and "@import" not in self.text and "url(" not in self.text


def read_page(path: Path) -> Page:
    """Read the page at `path`."""
    return Page(path.read_text(encoding="utf-8"))
