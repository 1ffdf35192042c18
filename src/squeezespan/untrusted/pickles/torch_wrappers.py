"""What takes the place of the functions of torch and StyleGAN that a checkpoint's pickle names.

Every wrapper checks its arguments and makes plain data or a record; none calls the function.
"""

import math
from typing import Any

from squeezespan.untrusted.pickles.arguments import expect, is_size, sizes
from squeezespan.untrusted.pickles.class_names import TORCH_DTYPES
from squeezespan.untrusted.pickles.cursor import Blob
from squeezespan.untrusted.pickles.limits import MAX_TENSOR_NUMBERS, Budget
from squeezespan.untrusted.pickles.values import (
    Record,
    StorageRecord,
    Symbol,
    TensorRecord,
    check_bounds,
)

__all__ = ["make_size", "parameter", "persistent_object", "storage", "tensor", "typed_tensor"]


def persistent_object(arguments: tuple[Any, ...], _: Budget) -> Record:
    """`torch_utils.persistence._reconstruct_persistent_obj`: the class's source is dropped."""
    what = "a persistent object"
    expect(len(arguments) == 1 and isinstance(arguments[0], dict), what)
    meta: dict[str, Any] = arguments[0]
    name, state = meta.get("class_name"), meta.get("state")
    expect(meta.get("type") == "class" and type(name) is str, what)
    expect(isinstance(state, dict), what)
    return Record(str(name), state)


def storage(arguments: tuple[Any, ...], _: Budget) -> StorageRecord:
    """`torch.storage._load_from_bytes`: the bytes are read when the tensor is wanted."""
    expect(len(arguments) == 1 and isinstance(arguments[0], Blob), "a tensor's storage")
    return StorageRecord(arguments[0])


def tensor(arguments: tuple[Any, ...], _: Budget) -> TensorRecord:
    """`torch._utils._rebuild_tensor_v2` and its predecessor."""
    expect(4 <= len(arguments) <= 7, "a tensor")
    record = _placed(arguments, "")
    expect(bool(record.storage.dtype) or record.storage.blob is not None, "a tensor")
    if record.storage.elements >= 0:
        check_bounds(record, record.storage.elements)
    return record


def typed_tensor(arguments: tuple[Any, ...], _: Budget) -> TensorRecord:
    """`torch._utils._rebuild_tensor_v3`, for types that have no storages of their own."""
    expect(7 <= len(arguments) <= 8 and isinstance(arguments[6], Symbol), "a tensor")
    expect(arguments[6].module == "torch" and arguments[6].name in TORCH_DTYPES, "a tensor")
    record = _placed(arguments, arguments[6].name)
    expect(not record.storage.dtype, "a tensor")
    return record


def _placed(arguments: tuple[Any, ...], dtype: str) -> TensorRecord:
    what = "a tensor"
    expect(isinstance(arguments[0], StorageRecord), what)
    size, stride = sizes(arguments[2], what), sizes(arguments[3], what)
    expect(len(size) == len(stride) and is_size(arguments[1]), what)
    # An axis of length zero does not keep torch from multiplying the others.
    expect(math.prod(max(side, 1) for side in size) <= MAX_TENSOR_NUMBERS, what)
    return TensorRecord(arguments[0], arguments[1], size, stride, dtype)


def parameter(arguments: tuple[Any, ...], _: Budget) -> TensorRecord:
    """`torch._utils._rebuild_parameter`."""
    expect(len(arguments) == 3 and isinstance(arguments[0], TensorRecord), "a parameter")
    record: TensorRecord = arguments[0]
    return record


def make_size(arguments: tuple[Any, ...], _: Budget) -> tuple[int, ...]:
    """`torch.Size`."""
    expect(len(arguments) == 1, "a size")
    return sizes(arguments[0], "a size")
