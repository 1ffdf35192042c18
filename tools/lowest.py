"""Print the lowest version that pyproject.toml allows of each package, as constraints for pip.

`make test-lowest` installs these, and what they need, and runs the tests with them.
"""

import re
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

_PYPROJECT = Path(__file__).resolve().parents[1] / "pyproject.toml"
_DEVELOPMENT = frozenset({"dev", "docs", "mutation"})
"""What develops the package may be new."""


def lowest(text: str) -> Iterator[str]:
    """Give `name==version` for every `name>=version` of the package and its users' extras.

    Args:
        text: of a pyproject.toml.
    """
    project = tomllib.loads(text)["project"]
    optional = project.get("optional-dependencies", {})
    groups = [lines for extra, lines in optional.items() if extra not in _DEVELOPMENT]
    for line in chain(project["dependencies"], *groups):
        if bound := re.fullmatch(r"([\w.-]+)>=([\w.]+)", line):
            yield f"{bound[1]}=={bound[2]}"


if __name__ == "__main__":
    print(*lowest(_PYPROJECT.read_text("utf-8")), sep="\n")
