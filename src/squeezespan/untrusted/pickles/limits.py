"""How much of anything a checkpoint may have; published ones need a tenth of it or less."""

from squeezespan.untrusted.pickles.cursor import MalformedError

__all__ = [
    "MAX_ARRAY_DIMS",
    "MAX_ATTRIBUTES",
    "MAX_CALLS",
    "MAX_ENTRIES",
    "MAX_HEADER_BYTES",
    "MAX_INTEGER_BYTES",
    "MAX_MARKS",
    "MAX_MODULES",
    "MAX_MODULE_DEPTH",
    "MAX_NUMBER_KEYS",
    "MAX_OPCODES",
    "MAX_PICKLE_BYTES",
    "MAX_SMALL_OPCODES",
    "MAX_TENSORS",
    "MAX_TENSOR_NUMBERS",
    "MAX_TEXT_BYTES",
    "MAX_VALUE_DEPTH",
    "MAX_ZIP_ENTRIES",
    "Budget",
]

MAX_OPCODES = 500_000
"""Instructions of one pickle; a StyleGAN-XL with its discriminators has about 100,000. It also
bounds the stack and the memo."""
MAX_SMALL_OPCODES = 100
"""Instructions of a pickle that describes one storage or the file itself, which has about 30."""
MAX_NUMBER_KEYS = 10_000
"""Numbers among the keys of all dicts and sets of one pickle, such as an optimizer's. Python hashes
numbers to themselves, so they can be chosen to collide, and reading them takes the square of their
number."""
MAX_CALLS = 50_000
"""Objects that one pickle makes."""
MAX_MARKS = 1_000
"""Unfinished containers at one time."""
MAX_TEXT_BYTES = 32 << 20
"""Text and small blobs of one pickle."""
MAX_INTEGER_BYTES = 64
MAX_ARRAY_DIMS = 8
MAX_TENSOR_NUMBERS = 1 << 40
MAX_TENSORS = 5_000
"""Weights of one pickled network, each with a storage of its own to take apart."""
MAX_MODULES = 20_000
MAX_MODULE_DEPTH = 32
MAX_VALUE_DEPTH = 16
MAX_ATTRIBUTES = 1_000_000
"""Attributes, weights and submodules of all modules of all networks of a file."""
MAX_ENTRIES = 200_000
"""Entries of all dicts in which state dicts are looked for."""
MAX_PICKLE_BYTES = 64 << 20
"""The pickle inside a zip archive, which holds no tensors' data."""
MAX_ZIP_ENTRIES = 20_000
MAX_HEADER_BYTES = 8 << 20
"""The table of content of a zip archive or a safetensors file."""


class Budget:
    """How much of something may still come.

    A pickle repeats a value in a few bytes by its memo. Whatever copies or visits values charges
    for each, so that a small file can neither become a large object nor take long to read.

    Args:
        size: of the whole.
        reason: what is wrong with a file that asks for more.
    """

    def __init__(self, size: int, reason: str) -> None:
        self._left = size
        self._reason = reason

    def charge(self, size: int) -> None:
        """Take `size` of it.

        Raises:
            MalformedError: so much is not left.
        """
        self._left -= size
        if self._left < 0:
            raise MalformedError(self._reason)
