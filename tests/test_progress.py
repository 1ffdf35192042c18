"""What a person sees of a long piece of work."""

import io

import pytest

from squeezespan.progress import Progress


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _run(log: io.StringIO, clock: Clock, *, steps: int, seconds: float, initial: int = 0) -> None:
    with Progress(
        100, unit="steps", description="distill", initial=initial, stream=log, clock=clock
    ) as progress:
        for step in range(steps):
            clock.now += seconds
            progress.update(1, loss=float(step))


def test_log_gets_at_most_one_line_in_ten_seconds_and_one_at_the_end() -> None:
    log = io.StringIO()
    _run(log, Clock(), steps=100, seconds=0.5)
    lines = log.getvalue().splitlines()
    assert len(lines) == 5
    assert lines[0] == "distill: 20/100 steps (20%), 2 steps/s, 40 s left, loss 19"
    assert lines[-1] == "distill: 100/100 steps (100%), 2 steps/s, 50 s taken, loss 99"


def test_short_work_leaves_one_line() -> None:
    log = io.StringIO()
    _run(log, Clock(), steps=100, seconds=0.01)
    assert len(log.getvalue().splitlines()) == 1


def test_the_end_is_written_once() -> None:
    log = io.StringIO()
    _run(log, Clock(), steps=2, seconds=20.0, initial=98)
    assert [line.split(",")[0] for line in log.getvalue().splitlines()] == [
        "distill: 99/100 steps (99%)",
        "distill: 100/100 steps (100%)",
    ]


def test_resumed_work_counts_the_rate_of_this_time_only() -> None:
    log = io.StringIO()
    _run(log, Clock(), steps=5, seconds=2.0, initial=90)
    assert (
        log.getvalue()
        .splitlines()[0]
        .startswith("distill: 95/100 steps (95%), 0.5 steps/s, 10 s left")
    )


def test_long_durations_read_well() -> None:
    log = io.StringIO()
    _run(log, Clock(), steps=1, seconds=60.0)
    assert "1 h 39 min left" in log.getvalue()


def test_interrupted_work_tells_how_far_it_came() -> None:
    log = io.StringIO()

    def work() -> None:
        with Progress(10, unit="steps", description="distill", stream=log) as progress:
            progress.update(3)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert log.getvalue().startswith("distill: 3/10 steps (30%)")


def test_nothing_to_do_is_no_error() -> None:
    log = io.StringIO()
    Progress(0, unit="steps", description="distill", stream=log).close()
    assert log.getvalue().startswith("distill: 0/0 steps")


def test_terminal_gets_a_bar() -> None:
    terminal = Terminal()
    _run(terminal, Clock(), steps=100, seconds=1.0)
    last = terminal.getvalue().split("\r")[-1]
    assert "distill" in last
    assert "100/100" in last
    assert "steps/s" in last
    assert "loss=99" in last
