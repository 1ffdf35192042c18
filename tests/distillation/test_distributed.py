"""Two processes that share a batch train like one that has it all."""

import os
import subprocess
import sys
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
import torch
from ranks import run_as_ranks
from safetensors.torch import load_file
from tiny_runs import read_metrics, tiny_config

from squeezespan.config import DistillConfig
from squeezespan.distillation.distill import distill
from squeezespan.files import write_json
from squeezespan.settings import to_dict

SECTIONS: dict[str, dict[str, Any]] = {
    # Two epochs; rounding alone drives longer trainings apart, on some machines sooner.
    "train": {"checkpoint_minutes": 60, "max_steps": 8},
    "monitor": {"log_every": 1},
    "optim": {"clip_grad_norm": 5.0},
}


def assert_same_training(one: Path, two: Path) -> None:
    lines, shared_lines = read_metrics(one), read_metrics(two)
    assert len(lines) == len(shared_lines)
    for line, shared_line in zip(lines, shared_lines, strict=True):
        assert line.pop("kind") == shared_line.pop("kind")
        assert shared_line == pytest.approx(line, rel=1e-4, abs=1e-5)
    weights, shared = (load_file(run / "student.safetensors") for run in (one, two))
    for name, weight in weights.items():
        torch.testing.assert_close(shared[name], weight, rtol=1e-4, atol=3e-5)


def test_squeeze_and_span_under_torchrun_equals_one_process(
    data: str, gan: Path, tmp_path: Path
) -> None:
    config = tiny_config(data, gan, **SECTIONS)
    write_json(tmp_path / "config.json", to_dict(config))
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += ["-m", "squeezespan", "distill"]
    command += ["--config", str(tmp_path / "config.json"), "--out", str(tmp_path / "two")]
    environment = {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    distill(config, tmp_path / "one")
    assert_same_training(tmp_path / "one", tmp_path / "two")


@pytest.mark.parametrize(
    "method",
    [
        {"target": "standardized", "embed_dim": None},
        {"name": "simsiam", "alpha": 0.5, "predictor_dim": 8},
        {"name": "vicreg", "alpha": 0.5},
        {"name": "emp-ssl", "alpha": 0.5, "patches": 3},
        {"name": "encoding", "embed_dim": None, "perceptual": "none"},
    ],
    ids=["standardized", "simsiam", "vicreg", "emp-ssl", "encoding"],
)
def test_other_methods_on_two_processes_equal_one(
    method: dict[str, Any], server: ForkServerContext, data: str, gan: Path, tmp_path: Path
) -> None:
    # The encoding needs it; the others do as well with it.
    source = {"kind": "latent", "noise": "const"}
    sections = SECTIONS
    if method.get("name") == "emp-ssl":
        # The coding rate's inverses drive rounding apart faster: 8e-7 after a step, 2e-4 after 8.
        sections = {**SECTIONS, "train": {**SECTIONS["train"], "max_steps": 2}}
    config = tiny_config(data, gan, method=method, source=source, **sections)
    assert run_as_ranks(server, distill, config, tmp_path / "two") == [0, 0]
    distill(config, tmp_path / "one")
    assert_same_training(tmp_path / "one", tmp_path / "two")


def test_a_mistake_ends_all_processes(
    server: ForkServerContext, config: DistillConfig, tmp_path: Path
) -> None:
    write_json(tmp_path / "config.json", to_dict(config))
    assert run_as_ranks(server, distill, config, tmp_path) == [1, 1]
