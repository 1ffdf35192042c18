"""Signals wait for a good moment, but not for ever."""

import os
import signal

import pytest

from squeezespan.runs.signals import StopRequest, StopSignals


def send(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def test_a_signal_is_noted_and_then_ends_the_process_as_asked() -> None:
    with StopSignals() as signals:
        send(signal.SIGTERM)
        assert signals.received == signal.SIGTERM
    with pytest.raises(SystemExit) as end:
        signals.end_process()
    assert end.value.code == 143


def test_ctrl_c_is_noted_once_and_obeyed_the_second_time() -> None:
    with StopSignals() as signals:
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        signals.end_process()


def test_work_that_can_be_done_again_is_interrupted_at_once() -> None:
    with StopSignals() as signals:
        with pytest.raises(StopRequest), signals.interruptible():
            send(signal.SIGTERM)
        with pytest.raises(StopRequest), signals.interruptible():
            pytest.fail("a signal was already there")


def test_handlers_are_as_before_afterwards() -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with StopSignals():
        assert signal.getsignal(signal.SIGTERM) != before[0]
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == before
