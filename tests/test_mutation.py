"""The mutation tool: whom it covers, and what it calls a change."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TOOL = runpy.run_path(str(ROOT / "tools" / "mutation.py"))


def test_every_formula_is_covered() -> None:
    package = ROOT / "src" / "squeezespan"
    found = {
        str(file.relative_to(package))
        for folder in ("losses", "methods", "evaluation")
        for file in (package / folder).glob("*.py")
        if file.name != "__init__.py"
    }
    # Collectives need several processes; the others put together what their neighbours compute.
    without_formula = {
        "losses/gather.py",
        "evaluation/analysis_options.py",
        "evaluation/circumstances.py",
        "evaluation/compare_layers.py",
        "evaluation/judged.py",
        "evaluation/layers.py",
        "evaluation/map_features.py",
        "evaluation/network_features.py",
        "evaluation/networks.py",
        "evaluation/options.py",
        "evaluation/probe.py",
        "evaluation/transfer.py",
    }
    missing = found - without_formula - set(TOOL["TESTS"])
    assert missing == set()
    for module, tests in TOOL["TESTS"].items():
        assert (package / module).is_file(), module
        for test in tests:
            file, _, function = test.partition("::")
            place = ROOT / "tests" / file
            assert place.exists(), test
            assert not function or f"def {function}(" in place.read_text("utf-8"), test


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("@torch.no_grad()\ndef f():\n    pass", "f = torch.no_grad()(f)"),
        (
            "class A:\n    @torch.no_grad()\n    def f(self):\n        pass",
            "f = torch.no_grad()(f)",
        ),
        ("@property\ndef f(self):\n    pass", "@property"),
    ],
)
def test_decorators_become_assignments(source: str, expected: str) -> None:
    assert expected in TOOL["decorators_as_assignments"](source)


def test_constants_are_raised() -> None:
    source = "A = 1\nB: int = 2\nC = 0.5\nD = 'text'\n__all__ = ['A']"
    assert TOOL["constants_of"](source) == {"A": 2, "C": 1.5}


def test_where_a_tensor_lies_is_no_change() -> None:
    without = TOOL["_without_place"]
    assert without("torch.zeros(2, device=x.device)") == without("torch.zeros(2)")
    assert without("y.to(x.device)") == without("y.to(None)")
    assert without("y.to(torch.int64)") != without("y")
