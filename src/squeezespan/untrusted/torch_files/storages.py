"""What torch writes of a tensor's storage in a pickle: its type, its key and its length."""

from typing import Any

import torch

from squeezespan.untrusted.pickles.class_names import STORAGE_DTYPES
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.values import StorageRecord, Symbol
from squeezespan.untrusted.wording import is_name, shown

__all__ = ["DeclaredStorages", "element_type"]


def element_type(name: str) -> torch.dtype:
    """Give the type of a storage's numbers, which are bytes where only its tensors tell more."""
    found: torch.dtype = getattr(torch, name or "uint8")
    return found


class DeclaredStorages(dict[str, StorageRecord]):
    """The storages that the persistent ids of a pickle declare, by key.

    Old files have an id with its source code for every class of a module, too: the code is dropped.
    """

    def declare(self, name: Any) -> StorageRecord | Symbol:
        """Read a persistent id.

        Raises:
            MalformedError: not one of a storage, or of one that was declared in another way.
        """
        if isinstance(name, bytes):
            raise MalformedError(
                "it was saved with pickle protocol 0, in which torch loses the weights' places; "
                "save the generator's state_dict() without pickle_protocol"
            )
        is_class = isinstance(name, tuple) and len(name) == 4 and name[0] == "module"
        if is_class and isinstance(name[1], Symbol):
            return name[1]
        if not isinstance(name, tuple) or not 5 <= len(name) <= 6 or name[0] != "storage":
            raise MalformedError("it has a persistent id that is not a tensor's storage")
        _, kind, key, location, elements = name[:5]
        if not isinstance(kind, Symbol) or str(kind) not in STORAGE_DTYPES:
            kinds = f" of the unknown type {shown(str(kind))}" if isinstance(kind, Symbol) else ""
            raise MalformedError(f"it has a storage{kinds or ' without a type'}")
        texts = is_name(key) and type(location) is str
        if not texts or type(elements) is not int or not 0 <= elements < 1 << 48:
            raise MalformedError("it describes a storage in an odd way")
        if len(name) == 6 and name[5] is not None:
            raise MalformedError("it has views of storages, which torch no longer reads")
        dtype = STORAGE_DTYPES[str(kind)]
        record = self.setdefault(key, StorageRecord(dtype, elements, key))
        if (record.dtype, record.elements) != (dtype, elements):
            raise MalformedError(f"it describes storage {shown(key)} in two ways")
        return record
