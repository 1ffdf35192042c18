"""What takes the place of the functions of torch and StyleGAN that a checkpoint's pickle names.

Every wrapper checks its arguments and makes plain data or a record; none calls the function.
"""

from typing import Any

from squeezespan.untrusted.pickles.arguments import expect, is_size, shape, sizes
from squeezespan.untrusted.pickles.class_names import TORCH_DTYPES
from squeezespan.untrusted.pickles.values import Record, StorageRecord, Symbol, TensorRecord

__all__ = ["make_size", "parameter", "persistent_object", "storage", "tensor", "typed_tensor"]


def persistent_object(arguments: tuple[Any, ...]) -> Record:
    """`torch_utils.persistence._reconstruct_persistent_obj`: the class's source is dropped."""
    what = "a persistent object"
    expect(len(arguments) == 1 and isinstance(arguments[0], dict), what)
    meta: dict[str, Any] = arguments[0]
    name, state = meta.get("class_name"), meta.get("state")
    expect(meta.get("type") == "class" and type(name) is str, what)
    expect(isinstance(state, dict), what)
    return Record(str(name), state)


def storage(arguments: tuple[Any, ...]) -> StorageRecord:
    """`torch.storage._load_from_bytes`: the bytes are read when the tensor is wanted."""
    expect(len(arguments) == 1 and isinstance(arguments[0], memoryview), "a tensor's storage")
    return StorageRecord(serialized=arguments[0])


def tensor(arguments: tuple[Any, ...]) -> TensorRecord:
    """`torch._utils._rebuild_tensor_v2` and its predecessor."""
    expect(4 <= len(arguments) <= 7, "a tensor")
    record = _placed(arguments, "")
    expect(bool(record.storage.dtype) or record.storage.serialized is not None, "a tensor")
    return record


def typed_tensor(arguments: tuple[Any, ...]) -> TensorRecord:
    """`torch._utils._rebuild_tensor_v3`, for types that have no storages of their own."""
    expect(7 <= len(arguments) <= 8 and isinstance(arguments[6], Symbol), "a tensor")
    expect(arguments[6].module == "torch" and arguments[6].name in TORCH_DTYPES, "a tensor")
    record = _placed(arguments, arguments[6].name)
    expect(not record.storage.dtype, "a tensor")
    return record


def _placed(arguments: tuple[Any, ...], dtype: str) -> TensorRecord:
    memory, offset, size, stride = arguments[:4]
    sides, steps = shape(size, "a tensor"), sizes(stride, "a tensor")
    expect(len(sides) == len(steps) and is_size(offset), "a tensor")
    expect(isinstance(memory, StorageRecord), "a tensor")
    return TensorRecord(memory, offset, sides, steps, dtype)


def parameter(arguments: tuple[Any, ...]) -> TensorRecord:
    """`torch._utils._rebuild_parameter`."""
    expect(len(arguments) == 3 and isinstance(arguments[0], TensorRecord), "a parameter")
    record: TensorRecord = arguments[0]
    return record


def make_size(arguments: tuple[Any, ...]) -> tuple[int, ...]:
    """`torch.Size`."""
    expect(len(arguments) == 1, "a size")
    return sizes(arguments[0], "a size")
