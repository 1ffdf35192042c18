"""Write how far our Projected GAN is from the numbers that `draw_projected.py` left.

    python tools/references/compare_projected.py --out results/projected-gan.json

An error is the largest difference over the reference's largest magnitude.
"""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from squeezespan.environment import environment
from squeezespan.files import write_json

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))


def main() -> None:
    """Read the arguments, compare, print and write."""
    parser = argparse.ArgumentParser(description="Compare with Projected GAN's own code.")
    parser.add_argument("--out", type=Path, required=True, help="JSON file")
    arguments = parser.parse_args()
    formula: Any = importlib.import_module("gan.formula")
    comparison: Any = importlib.import_module("gan.projected_comparison")
    published = comparison.read_published()
    table = {name: comparison.judgement_errors(name, published) for name in formula.JUDGED}
    for name in formula.CASES:
        table[f"{name}, {formula.STEPS} steps"] = comparison.step_errors(name, published)
    for name, errors in table.items():
        shown = "  ".join(f"{key} {value:.1e}" for key, value in errors.items())
        print(f"{name:30}  {shown}")
    write_json(arguments.out, {"environment": environment(), "errors": table})


if __name__ == "__main__":
    main()
