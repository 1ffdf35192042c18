"""Write constraints.txt: the newest versions that the package and all its extras agree on.

Run by `make constraints`. Packages that exist for some platforms only are left to pip.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

_HEADER = """\
# The versions that the tests run with, of the package and all its extras.
# Renewed by `make constraints`; used as `pip install -e ".[dev]" -c constraints.txt`.
"""
_PLATFORM_ONLY = re.compile(r"(cuda|nvidia|triton)\b")
_ROOT = Path(__file__).resolve().parents[1]


def resolve() -> dict[str, str]:
    """Let pip choose the versions, without installing anything."""
    pip = (sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet")
    output = subprocess.run(
        [*pip, "--report", "-", "-e", ".[all,dev,mutation]"],
        cwd=_ROOT,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    chosen = (package["metadata"] for package in json.loads(output)["install"])
    return {
        re.sub(r"[-_.]+", "-", metadata["name"]).lower(): metadata["version"] for metadata in chosen
    }


def main() -> None:
    """Write the file."""
    pins = [
        f"{name}=={version}\n"
        for name, version in sorted(resolve().items())
        if name != "squeezespan" and not _PLATFORM_ONLY.match(name)
    ]
    (_ROOT / "constraints.txt").write_text(_HEADER + "".join(pins), encoding="utf-8")


if __name__ == "__main__":
    main()
