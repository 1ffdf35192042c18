"""Mutation testing: which one-line errors in the formulas do the tests see?

mutmut makes the mutants: every operator, number, argument, name and string of every function, one
change each. It skips decorated functions and numbers outside functions; here decorators are
written as assignments first, and constants are raised by 1. Each mutant runs through the tests
of its module, in one process that has torch warm, the tests that failed last first. Texts of errors
are not mutated, nor is on which device a tensor lies: other tests see that, on a pretended GPU.

    make mutation
    make mutation ARGS="gan/step.py evaluation/knn.py"
    make mutation ARGS="--sample 60"    (so many of each module's, drawn with seed 0)

Leaves `results/mutation/scores.csv` and `survivors.csv`. A survivor whose change no test can see
gets its reason in `results/mutation/equivalent.csv`; any other ends this program with code 1.
"""

import argparse
import ast
import contextlib
import csv
import difflib
import gc
import importlib
import importlib.abc
import importlib.machinery
import io
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pytest

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "mutation"
_SHARES = (
    "groups_of_the_minibatch_standard_deviation_stay_whole",
    "every_sample_of_a_smaller_batch_is_somebodys",
    "what_cannot_be_divided_is_refused",
    "a_group_of_all_is_fine_for_one_process",
    "whole_groups_are_fine_for_any_process",
    "batch_norms_of_heads_take_several_processes_but_no_micro_batches",
    "path_lengths_are_taken_of_half_a_batch_and_of_one_image_at_least",
    "numbers_and_gradients_of_all_processes_are_added_up",
    "no_more_than_a_micro_batch_is_computed_at_once",
    "micro_batches_give_the_numbers_of_the_whole",
)
TESTS: dict[str, list[str]] = {
    "losses/emp_ssl.py": ["losses/test_emp_ssl_terms.py"],
    "losses/gan.py": ["losses/test_gan_losses.py"],
    "losses/precision.py": ["losses"],
    "losses/simsiam.py": ["losses/test_negative_cosine.py"],
    "losses/vicreg.py": ["losses/test_vicreg_terms.py"],
    "methods/base.py": ["methods/test_squeeze_span.py", "methods/test_two_view_methods.py"],
    "methods/emp_ssl.py": ["methods/test_emp_ssl.py"],
    "methods/encoding.py": ["methods/test_encoding.py"],
    "methods/perceptual.py": ["methods/test_perceptual.py"],
    "methods/resynthesis.py": ["methods/test_encoding.py"],
    "methods/registry.py": ["methods/test_built_methods.py", "methods/test_squeeze_span.py"],
    "methods/simsiam.py": ["methods/test_published_losses.py", "methods/test_two_view_methods.py"],
    "methods/spread.py": ["methods/test_published_losses.py"],
    "methods/squeeze_span.py": ["methods/test_published_losses.py", "methods/test_squeeze_span.py"],
    "methods/streams.py": [
        "methods/test_emp_ssl.py",
        "methods/test_two_view_methods.py",
        "methods/test_published_losses.py",
        "methods/test_squeeze_span.py",
    ],
    "methods/vicreg.py": ["methods/test_published_losses.py", "methods/test_two_view_methods.py"],
    "gan/ada.py": ["gan/test_controller.py"],
    "gan/augment.py": ["gan/test_published_augment.py", "gan/test_bgc_augment.py"],
    "gan/average.py": ["gan/test_published_step.py", "gan/test_gan_step.py"],
    "gan/batches.py": ["gan/test_real_batches.py"],
    "gan/diffaugment.py": ["gan/test_diffaugment.py"],
    "gan/networks.py": ["gan/test_gan_step.py", "gan/test_published_step.py"],
    "gan/optimizers.py": ["gan/test_optimizers.py"],
    "gan/scoring/distances.py": ["gan/test_score_distances.py"],
    "gan/scoring/statistics.py": [
        "gan/test_score_statistics.py",
        "gan/test_score_distances.py",
    ],
    "gan/share.py": [f"gan/test_share.py::test_{test}" for test in _SHARES],
    "gan/step.py": [
        "gan/test_published_step.py",
        "gan/test_gan_step.py",
        *(f"gan/test_share.py::test_{test}" for test in _SHARES[-2:]),
    ],
    "evaluation/cka.py": ["evaluation/test_cka.py"],
    "evaluation/claims.py": ["evaluation/test_claims.py"],
    "evaluation/maps.py": ["evaluation/test_maps.py"],
    "evaluation/features.py": ["evaluation/test_features.py", "evaluation/test_protocols.py"],
    "evaluation/fewshot.py": ["evaluation/test_fewshot.py"],
    "evaluation/intervals.py": ["evaluation/test_intervals.py"],
    "evaluation/knn.py": ["evaluation/test_knn.py"],
    "evaluation/hits.py": ["evaluation/test_hits.py"],
    "evaluation/labels.py": ["evaluation/test_protocols.py"],
    "evaluation/linear.py": ["evaluation/test_linear_probe.py"],
    "evaluation/logistic.py": ["evaluation/test_logistic.py"],
    "evaluation/paired.py": ["evaluation/test_paired.py"],
    "evaluation/patches.py": [
        "evaluation/test_patches.py::test_features_are_the_mean_over_square_quarters_of_the_image"
    ],
    "evaluation/protocols.py": ["evaluation/test_protocols.py"],
    "experiments/results.py": ["experiments/test_collected.py", "experiments/test_results.py"],
    "distillation/schedule.py": ["distillation/test_schedule.py"],
    "data/augment.py": ["data/test_augment_published.py", "data/test_augment.py"],
    "data/blur.py": ["data/test_augment_parity.py", "data/test_augment_published.py"],
    "data/color.py": ["data/test_augment_parity.py", "data/test_augment_published.py"],
    "data/crop.py": ["data/test_augment_published.py", "data/test_augment_parity.py"],
}
"""Module to the tests that are to see its errors, fastest first."""
_OURS = "squeezespan"
_QUICK = ("-q", "--tb=line", "--assert=plain", "-p", "no:cacheprovider")
_PLACES = (
    r"\.to\((?:None|[\w.]*device)?(?:, )?(?:non_blocking=\w+)?\)",
    r"(?:, )?\bdevice=[\w.]+",
    r"(?:, )?non_blocking=\w+",
)
"""Code that says on which device a tensor lies."""


class Mutant(NamedTuple):
    """One change of one module."""

    name: str
    function: str
    before: str
    after: str


class Trial:
    """A pytest plugin: collects tests once and runs them again and again.

    Those that failed last come first, then the quick ones, and the first that fails ends a run.

    Args:
        use: is called once with the tests ready, if they pass.
    """

    def __init__(self, use: Callable[["Trial"], None]) -> None:
        self.passed = False
        self._use = use
        self._limit = 0.0
        self._failed = ""
        self._killers: list[str] = []
        self._seconds: dict[str, float] = {}

    def pytest_runtestloop(self, session: "pytest.Session") -> bool:
        """Take the place of pytest's own loop."""
        self._items = session.items
        began = time.process_time()
        self.passed = not session.testsfailed and not self.fails()
        if self.passed:
            self._limit = 20 + 10 * (time.process_time() - began)
            gc.freeze()
            self._use(self)
        return True

    def pytest_runtest_logreport(self, report: "pytest.TestReport") -> None:
        """Remember how long a test takes, and that it failed."""
        self._seconds[report.nodeid] = max(report.duration, self._seconds.get(report.nodeid, 0.0))
        if report.failed:
            self._failed = report.nodeid

    def fails(self) -> bool:
        """Run the tests until one fails or takes far longer than it did."""
        self._failed = ""
        ranks = {name: -rank for rank, name in enumerate(self._killers, 1)}
        signal.signal(signal.SIGPROF, _stop)
        signal.setitimer(signal.ITIMER_PROF, self._limit)
        try:
            for item in sorted(
                self._items,
                key=lambda x: (ranks.get(x.nodeid, 0), self._seconds.get(x.nodeid, 0.0)),
            ):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                if self._failed:
                    self._killers = [name for name in self._killers if name != self._failed]
                    self._killers.append(self._failed)
                    return True
        except TimeoutError:
            return True
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
        return False


def _stop(*_: object) -> None:
    raise TimeoutError


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from `code` instead of its file."""

    def __init__(self, module: str, path: Path, code: str) -> None:
        self.module, self.path, self.code = module, path, code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Answer for the mutated module alone."""
        if fullname != self.module:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, origin=str(self.path))

    def exec_module(self, module: ModuleType) -> None:
        """Run the mutated source as the module's."""
        module.__file__ = str(self.path)
        exec(compile(self.code, str(self.path), "exec"), module.__dict__)


def decorators_as_assignments(source: str) -> str:
    """Write `@d def f` as `def f; f = d(f)`, but for classes, static methods and generators."""

    def rewritten(body: list[ast.stmt]) -> list[ast.stmt]:
        out: list[ast.stmt] = []
        for node in body:
            out.append(node)
            if isinstance(node, ast.ClassDef):
                node.body = rewritten(node.body)
            elif isinstance(node, ast.FunctionDef) and len(node.decorator_list) == 1:
                (decorator,) = node.decorator_list
                if ast.unparse(decorator) in ("torch.no_grad()", "outside_autocast"):
                    node.decorator_list = []
                    wrapped = ast.parse(f"{node.name} = {ast.unparse(decorator)}({node.name})")
                    out += wrapped.body
        return out

    tree = ast.parse(source)
    tree.body = rewritten(tree.body)
    return ast.unparse(ast.fix_missing_locations(tree))


def list_mutants(code: str, names: Iterable[str]) -> list[Mutant]:
    """Give mutants with what they change; those of errors' texts are left out."""
    functions = {
        node.name: node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef)
    }
    found = []
    for name in names:
        stem = name.rpartition("__mutmut_")[0]
        before, after = _difference(functions[f"{stem}__mutmut_orig"], functions[name])
        if not before.startswith(("raise ", "'", '"')) and _without_place(before) != _without_place(
            after
        ):
            function = stem.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
            found.append(Mutant(name, function, before, after))
    return found


def _difference(original: ast.FunctionDef, mutant: ast.FunctionDef) -> tuple[str, str]:
    old, new = (
        [
            ast.unparse(node.args),
            *(line for part in node.body for line in ast.unparse(part).split("\n")),
        ]
        for node in (original, mutant)
    )
    changes = [line for line in difflib.ndiff(old, new) if line[0] in "-+"]
    before, after = (
        "; ".join(line[2:].strip() for line in changes if line[0] == sign) for sign in "-+"
    )
    return before, after


def _without_place(code: str) -> str:
    for place in _PLACES:
        code = re.sub(place, "", code)
    return code


def constants_of(source: str) -> dict[str, object]:
    """Numbers that a module defines by name, each with its raised value."""
    raised: dict[str, object] = {}
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                value = ast.literal_eval(node.value)
                if isinstance(value, int | float):
                    raised[node.targets[0].id] = value + 1
    return raised


def work(relative: str, out: Path, sample: int, again: bool) -> None:
    """Run mutants of one module through its tests and write what became of each."""
    import pytest
    from mutmut.mutation.file_mutation import mutate_file_contents
    from mutmut.mutation.trampoline import set_mutant_under_test

    os.chdir(ROOT)
    path = ROOT / "src" / _OURS / relative
    module = f"{_OURS}.{relative.removesuffix('.py').replace('/', '.')}"
    source = decorators_as_assignments(path.read_text("utf-8"))
    mutated = mutate_file_contents(str(path), source)
    sys.meta_path.insert(0, Mutated(module, path, mutated.code))
    mutants = list_mutants(mutated.code, mutated.mutant_names)
    total = len(mutants) + len(constants_of(source))
    if sample and sample < len(mutants):
        mutants = random.Random(0).sample(mutants, sample)
    earlier = {tuple(row[:3]): row[3] for row in _rows(out)} if again else {}
    explained = {tuple(row[:4]) for row in _rows(RESULTS / "equivalent.csv")}

    def run_all(trial: Trial) -> None:
        with out.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow([total])

            def record(*change: str) -> None:
                known = earlier.get(change)
                if known is None or (known == "survived" and (relative, *change) not in explained):
                    known = "killed" if trial.fails() else "survived"
                writer.writerow([*change, known])
                file.flush()

            for mutant in mutants:
                set_mutant_under_test(f"{module}.{mutant.name}")
                record(mutant.function, mutant.before, mutant.after)
            set_mutant_under_test("")
            live = importlib.import_module(module)
            for name, value in constants_of(source).items():
                kept = getattr(live, name)
                setattr(live, name, value)
                record("", f"{name} = {kept}", f"{name} = {value}")
                setattr(live, name, kept)

    set_mutant_under_test("")
    trial = Trial(run_all)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        pytest.main([*_QUICK, *(f"tests/{test}" for test in TESTS[relative])], plugins=[trial])
    if not trial.passed:
        sys.exit(f"{relative}: its tests fail without a mutant\n{shown.getvalue()}")


def main(modules: Sequence[str], sample: int = 0, again: bool = False) -> int:
    """Run the modules that are named and say which survivors nobody has explained.

    Args:
        modules: keys of `TESTS`.
        sample: mutants of each; 0 is all.
        again: run only new ones and survivors without a reason.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    explained = {tuple(row[:4]): row[4] for row in _rows(RESULTS / "equivalent.csv")}
    scores = {row[0]: row for row in _rows(RESULTS / "scores.csv")}
    survivors = [row for row in _rows(RESULTS / "survivors.csv") if row[0] not in modules]
    unexplained = []
    for relative in modules:
        out = ROOT / "build" / "mutation" / relative.replace("/", ".").replace(".py", ".csv")
        out.parent.mkdir(parents=True, exist_ok=True)
        began = time.monotonic()
        command = [sys.executable, __file__, "--work", relative]
        subprocess.run([*command, str(out), str(sample), str(int(again))], check=True)
        with out.open(encoding="utf-8", newline="") as file:
            (total,), *rows = csv.reader(file)
        alive = [[relative, *row[:3]] for row in rows if row[3] == "survived"]
        missed = [row for row in alive if tuple(row) not in explained]
        unexplained += missed
        survivors += alive
        counts = [len(rows), len(rows) - len(alive), len(alive) - len(missed), len(missed)]
        scores[relative] = [relative, total, *map(str, counts)]
        seconds = time.monotonic() - began
        print(
            f"{relative}: {counts[0]} of {total} mutants, {counts[1]} killed, "
            f"{counts[2]} equivalent, {counts[3]} survived, {seconds:.0f} s",
            flush=True,
        )
        for row in missed:
            print(f"    {row[1]}\n    - {row[2]}\n    + {row[3]}", flush=True)
        _write(
            "scores.csv",
            ["module", "mutants", "run", "killed", "equivalent", "survived"],
            [scores[name] for name in TESTS if name in scores],
        )
        _write("survivors.csv", ["module", "function", "before", "after"], sorted(survivors))
    return 1 if unexplained else 0


def _rows(path: Path) -> list[list[str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def _write(name: str, header: list[str], rows: list[list[str]]) -> None:
    with (RESULTS / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]), sys.argv[5] == "1")
    else:
        parser = argparse.ArgumentParser(description=__doc__)
        parser.add_argument("modules", nargs="*", metavar="MODULE", help="all if left out")
        parser.add_argument("--sample", type=int, default=0, help="mutants of each; all if 0")
        parser.add_argument(
            "--again", action="store_true", help="only new ones and unexplained survivors"
        )
        given = parser.parse_args()
        if unknown := set(given.modules) - set(TESTS):
            parser.error(f"no tests are named for {', '.join(sorted(unknown))}")
        sys.exit(main(given.modules or list(TESTS), given.sample, given.again))
