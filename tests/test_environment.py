"""What is recorded about the machine and the software."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch

from squeezespan import __version__
from squeezespan.environment import environment, project_commit

_ROOT = Path(__file__).parents[1]


def test_environment_is_json_and_tells_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/tools/bin/squeezespan", "distill", "--out", "my run"])
    told = json.loads(json.dumps(environment()))
    assert told["squeezespan"] == __version__
    assert told["packages"]["torch"] == torch.__version__.partition("+")[0]
    assert told["command"] == "squeezespan distill --out 'my run'"
    assert told["cpu"]["cores"] >= 1
    assert len(told["gpus"]) == torch.cuda.device_count()
    age = datetime.now(UTC) - datetime.fromisoformat(told["time"])
    assert abs(age.total_seconds()) < 60


@pytest.mark.skipif(not (_ROOT / ".git").exists(), reason="not a git checkout")
def test_commit_is_that_of_the_checkout() -> None:
    commit = project_commit()
    assert commit is not None
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?", commit)
    assert commit.startswith(head.stdout.strip())
