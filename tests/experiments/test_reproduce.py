"""From a definition to a table: nothing is trained twice, and nothing lost by what fails."""

import csv
import fcntl
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tiny_experiments import SMALL, TINY
from tiny_runs import make_gan

from squeezespan.cli.main import main
from squeezespan.discriminators.files import save_discriminator
from squeezespan.discriminators.stylegan2 import (
    StyleGAN2Discriminator,
    StyleGAN2DiscriminatorConfig,
)
from squeezespan.errors import TrainingError, UserError
from squeezespan.experiments.asked import Asked
from squeezespan.experiments.catalog import EXPERIMENTS
from squeezespan.experiments.columns import Column
from squeezespan.experiments.experiment import Arm
from squeezespan.experiments.reproduce import (
    describe_plan,
    left_out,
    plan_experiment,
    reproduce,
)
from squeezespan.experiments.runner import Trouble
from squeezespan.experiments.slurm import check_slurm
from squeezespan.experiments.teachers import TeacherScore, score_teachers
from squeezespan.gan.scoring.features import EfficientNetLite0


def changed(folder: Path) -> dict[str, int]:
    """When each file of the cells was last written, but for locks."""
    files = (file for file in folder.rglob("*") if file.is_file() and file.name != ".lock")
    return {str(file): file.stat().st_mtime_ns for file in files}


@pytest.fixture
def folder(reproduced: tuple[Path, Asked], tmp_path: Path) -> Path:
    return Path(shutil.copytree(reproduced[0], tmp_path / "out"))


def test_the_table_in_all_its_forms(reproduced: tuple[Path, Asked]) -> None:
    table = reproduced[0] / "tiny"
    text = (table / "table.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["arm"], row["protocol"]) for row in rows] == [
        ("vicreg", "knn"),
        ("vicreg", "logistic"),
        ("squeeze", "knn"),
        ("squeeze", "logistic"),
    ]
    assert rows[0]["steps"] == "2"
    assert rows[0]["images"] == "32"
    assert (rows[0]["passes"], rows[2]["passes"]) == ("64", "32")
    assert rows[2]["paper"] == "0.8767"
    found = json.loads((table / "table.json").read_text(encoding="utf-8"))
    assert found["missing"] == []
    assert found["claims"][0]["verdict"] in ("held", "not held", "undecided")
    assert "| Squeeze |" in (table / "table.md").read_text(encoding="utf-8")
    curves = list(csv.DictReader((table / "curves.csv").read_text("utf-8").splitlines()))
    assert {row["arm"]: row["passes"] for row in curves} == {"vicreg": "64", "squeeze": "32"}
    assert (table / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert (table / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (table / "figure.pdf").read_bytes().startswith(b"%PDF")


def test_the_same_command_again_trains_nothing(folder: Path, asked: Asked) -> None:
    before = changed(folder / "cells")
    plan = plan_experiment("tiny", asked, folder)
    assert describe_plan(plan).count(", done") == 2
    reproduce(plan)
    assert changed(folder / "cells") == before


def test_a_table_needs_no_weights(folder: Path, asked: Asked) -> None:
    """What was done elsewhere is its summary and its evaluations."""
    for run in folder.glob("cells/*/run"):
        shutil.rmtree(run)
    results, troubles = reproduce(plan_experiment("tiny", asked, folder))
    assert len(results.found) == 4
    assert troubles == []
    assert not list(folder.glob("cells/*/run"))


def test_another_seed_adds_to_what_is_there(folder: Path, asked: Asked) -> None:
    before = changed(folder / "cells")
    results, _ = reproduce(plan_experiment("tiny", replace(asked, seeds=(0, 1)), folder))
    after = changed(folder / "cells")
    assert {name: after[name] for name in before} == before
    assert all(found.seeds == [0, 1] for found in results.found.values())


def test_one_failed_cell_costs_no_other(
    folder: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = {**SMALL, "student": {"arch": "vit_tiny_patch16_224", "stem": "cifar"}}
    broken = Arm("broken", "Broken", "vicreg-real-mini", "vicreg-real-{data}", wide)
    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(TINY, arms=(broken, *TINY.arms)))
    results, troubles = reproduce(plan_experiment("tiny", asked, folder))
    assert {found.arm for found in results.found.values()} == {"vicreg", "squeeze"}
    assert [trouble.title for trouble in troubles] == ["Broken, four, seed 0"]
    assert "CIFAR stem" in troubles[0].reason
    told = json.loads((folder / "tiny" / "table.json").read_text(encoding="utf-8"))
    assert told["missing"][0]["cell"] == "Broken, four, seed 0"


def test_what_is_done_is_a_table_where_it_is_stopped(
    folder: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise SystemExit(143)

    shutil.rmtree(folder / "tiny")
    monkeypatch.setattr("squeezespan.experiments.runner.distill", stopped)
    plan = plan_experiment("tiny", replace(asked, seeds=(0, 1)), folder)
    with pytest.raises(SystemExit):
        reproduce(plan)
    told = json.loads((folder / "tiny" / "table.json").read_text(encoding="utf-8"))
    assert {row["seeds"] for row in told["rows"]} == {"0"}
    assert [missing["reason"] for missing in told["missing"]] == ["stopped before it was done"] * 2


def test_nothing_done_is_an_error(asked: Asked, tmp_path: Path) -> None:
    plan = plan_experiment("tiny", replace(asked, data=(f"four=folder:{tmp_path}/no",)), tmp_path)
    with pytest.raises(TrainingError, match="no cell of tiny could be done"):
        reproduce(plan)


def test_a_cell_that_another_process_trains_is_left_to_it(folder: Path, asked: Asked) -> None:
    plan = plan_experiment("tiny", replace(asked, seeds=(1,), arms=("squeeze",)), folder)
    place = plan.tasks[0].folder
    place.mkdir()
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="another process works on it"):
            reproduce(plan)
    assert [file.name for file in place.iterdir()] == [".lock"]


def test_what_another_process_has_done_meanwhile_is_not_missing(
    folder: Path, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_experiment("tiny", replace(asked, seeds=(0, 1)), folder)
    waits, never = (task.cell.title for task in plan.tasks[-2:])
    reason = "another process works on it"

    def refused(*_: object, **__: object) -> list[Trouble]:
        monkeypatch.setattr(
            "squeezespan.experiments.runner.done", lambda task: task.cell.title != never
        )
        return [Trouble(waits, reason), Trouble(never, reason)]

    monkeypatch.setattr("squeezespan.experiments.reproduce.run_tasks", refused)
    _, troubles = reproduce(plan)
    assert troubles == [Trouble(never, reason)]


def test_a_cell_of_other_settings_is_not_taken_for_this_one(folder: Path, asked: Asked) -> None:
    plan = plan_experiment("tiny", asked, folder)
    file = plan.tasks[0].folder / "cell.json"
    told = json.loads(file.read_text(encoding="utf-8"))
    told["config"]["optim"]["base_lr"] = 0.7
    file.write_text(json.dumps(told), encoding="utf-8")
    with pytest.raises(UserError, match=r"optim\.base_lr is 0\.7, not 0\.4"):
        reproduce(plan)


def test_two_processes_share_the_cells(asked: Asked, tmp_path: Path) -> None:
    from joblib import parallel_config

    with parallel_config(backend="threading"):
        results, troubles = reproduce(plan_experiment("tiny", asked, tmp_path / "out"), jobs=2)
    assert len(results.found) == 4
    assert troubles == []


def test_cells_are_jobs_of_a_cluster(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no SLURM, submitit runs its jobs as processes on this machine."""
    pytest.importorskip("submitit")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2] / "src"))
    plan = plan_experiment("tiny", replace(asked, arms=("vicreg",)), tmp_path / "out")
    results, troubles = reproduce(plan, slurm={"partition": "gpu", "time": "5"})
    assert troubles == []
    assert len(results.found) == 2
    assert list((tmp_path / "out" / "slurm").glob("*_log.out"))


@pytest.mark.parametrize(
    ("settings", "has_sbatch", "message"),
    [
        (["partition=gpu", "time=5"], False, "there is no sbatch"),
        (["gpu", "time=5"], True, "--slurm gpu is no NAME=VALUE"),
        (["partition=gpu"], True, "needs time=MINUTES"),
    ],
)
def test_what_a_cluster_cannot_be_asked(
    settings: list[str], has_sbatch: bool, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("submitit")
    monkeypatch.setattr("shutil.which", lambda _: "/bin/sbatch" if has_sbatch else None)
    with pytest.raises(UserError, match=message):
        check_slurm(settings)


def test_accuracy_over_the_score_of_the_generators(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two generators of the same images: what uses neither is trained once."""
    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(TINY, by_teacher=True))
    scores = {"young": TeacherScore(40.0, 0.02, 0.5, 0.3, 9), "old": TeacherScore(20.0, 0, 1, 1, 9)}
    monkeypatch.setattr("squeezespan.experiments.reproduce.score_teachers", lambda *_: scores)
    other = str(make_gan(tmp_path / "other.safetensors", resolution=16, w_dim=8))
    data = (f"young={asked.data[0]}", f"old={asked.data[0]}")
    two = replace(asked, data=data, gan=(asked.gan[0], other))
    results, _ = reproduce(plan_experiment("tiny", two, tmp_path / "out"))
    assert len(results.found) == 8
    assert len(list((tmp_path / "out" / "cells").iterdir())) == 3
    text = (tmp_path / "out" / "tiny" / "table.md").read_text(encoding="utf-8")
    assert "| young | 40.00 | 20.00 | 0.500 | 0.300 | 9 |" in text


def test_a_discriminator_is_judged_as_it_is(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct = Arm("direct", "Discriminator", "", "", direct="discriminator")
    monkeypatch.setitem(EXPERIMENTS, "tiny", replace(TINY, arms=(direct, *TINY.arms)))
    unknown = plan_experiment("tiny", replace(asked, gan=("builtin:stylegan2-cifar10",)), tmp_path)
    assert left_out(unknown) == [
        "Discriminator, four: its discriminator is not known; name it with --discriminator"
    ]
    torch.manual_seed(0)
    config = StyleGAN2DiscriminatorConfig(16, channel_base=256, channel_max=16)
    save_discriminator(tmp_path / "d.safetensors", StyleGAN2Discriminator(config), {})
    known = replace(asked, discriminator=(str(tmp_path / "d.safetensors"),), arms=("direct",))
    results, troubles = reproduce(plan_experiment("tiny", known, tmp_path / "out"))
    assert troubles == []
    assert {found.arm for found in results.found.values()} == {"direct"}
    assert not list((tmp_path / "out").glob("cells/*/run"))
    equal = plan_experiment("tiny", replace(known, budget="passes"), tmp_path / "out")
    assert [task.cell.steps for task in equal.tasks] == [None]


def test_a_teacher_is_scored_once(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = Column("four", asked.data[0], asked.gan[0])
    names = EfficientNetLite0.names
    numbers = dict.fromkeys((names.frechet, names.kernel, names.precision, names.recall), 0.5)
    asked_for = []

    def score(*_: object, num_images: int, **__: object) -> dict[str, float]:
        asked_for.append(num_images)
        return {**numbers, "num_images": num_images}

    monkeypatch.setattr("squeezespan.experiments.teachers.score_generator", score)
    for _ in range(2):
        assert score_teachers([column], "mini", tmp_path)["four"].frechet == 0.5
    assert asked_for == [5000]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": ("sqeeze",)}, "tiny has no arm 'sqeeze'"),
        ({"scale": "paper", "steps": 3}, "--steps is for --scale mini"),
        ({"scale": "paper", "budget": "time"}, "--budget is for --scale mini"),
        ({"seeds": (1, 1)}, "names a seed twice"),
    ],
)
def test_what_does_not_go_together_is_refused(
    asked: Asked, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        plan_experiment("tiny", replace(asked, **changes), tmp_path)  # type: ignore[arg-type]


def test_the_command_lists_plans_and_refuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["reproduce", "list"]) == 0
    assert "table2 " in capsys.readouterr().out
    assert main(["reproduce", "tabel2", "--out", str(tmp_path)]) == 2
    assert "did you mean table2?" in capsys.readouterr().err
    assert main(["reproduce", "table5", "--out", str(tmp_path)]) == 2
    assert "give two or more to --data" in capsys.readouterr().err


def test_a_dry_run_of_the_command_measures_and_trains_nothing(
    asked: Asked, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", *asked.data, "--gan", *asked.gan, "--device", "cpu"]
    assert main(["reproduce", "tiny", "--out", str(tmp_path / "out"), "--dry-run", *options]) == 0
    said = capsys.readouterr().out
    assert "Squeeze, four, seed 0: 2 steps of 16, to do" in said
    assert "hours of training here" in said
    assert not (tmp_path / "out" / "cells").exists()
