"""Compare Squeeze and Span with its baselines in a few minutes, with a table and a report."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from squeezespan.cli.arguments import parse
from squeezespan.cli.options import part_of
from squeezespan.demo.settings import DemoOptions

__all__ = ["Options", "run"]

_PROG = "squeezespan demo"


@dataclass(frozen=True)
class Options(DemoOptions):
    """What `squeezespan demo` takes."""

    out: Path = Path("demo-out")
    """Folder of the demo; one that was stopped goes on in it."""


def run(argv: list[str]) -> None:
    """Run `squeezespan demo`.

    Args:
        argv: the arguments after the command's name.

    Raises:
        UserError: an option, the data, the generator or the folder are not usable.
        TrainingError: a training broke down.
        StorageError: the disk is full.
    """
    began = time.monotonic()
    options = parse(Options, argv, prog=_PROG, description=__doc__ or "")
    asked = part_of(DemoOptions, options)

    from squeezespan.demo.next_steps import NEXT_STEPS, WITHOUT_GAN
    from squeezespan.demo.result import result_table
    from squeezespan.demo.run import run_demo

    try:
        result = run_demo(asked, options.out, began)
    except (KeyboardInterrupt, SystemExit):
        print("the demo goes on from here when it is started again", file=sys.stderr)
        raise
    seconds = result["seconds"]
    print(f"\n{result_table(result)}\n")
    print("In brackets: 95% intervals, for the choice of test images; one training each.")
    for sentence in result["comparisons_in_words"]:
        print(sentence)
    print(f"\n{int(seconds // 60)} min {seconds % 60:.0f} s; look at {options.out / 'report.html'}")
    print("\nWith a GAN and images of your own:")
    for command in NEXT_STEPS:
        print(f"  {command}")
    print(f"Images but no GAN: {WITHOUT_GAN}")
