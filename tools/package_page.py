"""What the package's page on an index says: README with links that work there, and addresses.

Hatchling calls it when it builds. The project's address is one setting, `home` in pyproject.toml's
table `[tool.hatch.metadata.hooks.custom]`, such as "https://github.com/OWNER/squeezespan". Without
one, what README links to in the repository is named but not linked.
"""

import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

_RELATIVE = re.compile(r"(!?)\[([^\]]*)\]\((?!https?://|#)([^)\s]+)\)")
_PAPER = "https://arxiv.org/abs/2211.03000"


class PackagePage(MetadataHookInterface):
    """Fills in `readme` and `urls`."""

    def update(self, metadata: dict[str, object]) -> None:
        """Write them into the `project` table.

        Args:
            metadata: that table.

        Raises:
            ValueError: `home` is no address.
        """
        home = self.config.get("home")
        if not isinstance(home, str) or (home and not home.startswith("https://")):
            raise ValueError(f"home is {home!r}, but must be an https:// address or empty")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        content = {"content-type": "text/markdown", "text": page(text, home)}
        metadata["readme"], metadata["urls"] = content, addresses(home)


def page(readme: str, home: str) -> str:
    """Make relative links and images absolute, or leave their words alone where there is no home.

    Args:
        readme: Markdown.
        home: the repository's address on GitHub or GitLab; may be empty.
    """

    def absolute(link: re.Match[str]) -> str:
        picture, words, target = link.groups()
        if not home:
            return f"*{' '.join(words.split())}*" if picture else words
        return (
            f"{picture}[{words}]({home.rstrip('/')}/{'raw' if picture else 'blob'}/HEAD/{target})"
        )

    return _RELATIVE.sub(absolute, readme)


def addresses(home: str) -> dict[str, str]:
    """Give the addresses that an index shows beside the page, by their usual labels.

    Args:
        home: as for `page`.
    """
    if not home:
        return {"Paper": _PAPER}
    home = home.rstrip("/")
    return {
        "Homepage": home,
        "Documentation": f"{home}/blob/HEAD/docs/index.md",
        "Changelog": f"{home}/blob/HEAD/CHANGELOG.md",
        "Issues": f"{home}/issues",
        "Paper": _PAPER,
    }
