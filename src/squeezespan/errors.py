"""The ways a run can end badly that are not a defect of Squeezespan."""

__all__ = ["StorageError", "TrainingError", "UserError"]


class UserError(Exception):
    """Something the user gave is wrong.

    The message is one line that says what was wrong, where, and what to do. The command line
    prints it without a traceback and exits with code 2.
    """


class StorageError(Exception):
    """The machine could not store a result (a full or read-only disk).

    The message is one line; the command line prints it without a traceback and exits with code 1.
    """


class TrainingError(Exception):
    """A training went wrong beyond repair (a loss that is not a number).

    The message is one line that says what happened, at which step, and what to try; the command
    line prints it without a traceback and exits with code 1.
    """
