"""The globals that mean something in a checkpoint's pickle: an exact list of modules and names.

Any other name of a class stands for itself: its instances are inert records that say so, and calls
of it are refused.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from squeezespan.untrusted.pickles import numpy_wrappers, python_wrappers, torch_wrappers
from squeezespan.untrusted.pickles.class_names import (
    CLASS_NAMES,
    DICT_CLASSES,
    IGNORED_CLASSES,
    STORAGE_DTYPES,
    TORCH_DTYPES,
)
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.values import Record, Symbol

__all__ = ["SYMBOLS", "unknown_class"]

_TYPES_OF_DILL = (
    *("object", "type", "int", "float", "bool", "complex", "str", "bytes", "bytearray"),
    *("list", "tuple", "dict", "set", "frozenset", "slice", "range", "NoneType"),
    *("FunctionType", "LambdaType", "CodeType", "CellType", "MethodType"),
    *("BuiltinFunctionType", "ModuleType"),
)
_TYPES = {name: Symbol("builtins", name, apply=python_wrappers.opaque) for name in _TYPES_OF_DILL}
_TYPES["set"] = Symbol("builtins", "set", apply=python_wrappers.make_set)


def unknown_class(module: str, name: str) -> Symbol:
    """Give what stands for a class that is not in the list."""
    return Symbol(
        module, name, create=lambda symbol: Record(str(symbol), is_known=False), is_known=False
    )


def _load_type(arguments: tuple[Any, ...]) -> Symbol:
    """`dill._dill._load_type`: the types are known by name and nothing is made of most."""
    if len(arguments) == 1 and type(arguments[0]) is str and arguments[0] in _TYPES:
        return _TYPES[arguments[0]]
    raise MalformedError("it asks dill for an unknown type")


_BUILTINS = {
    "set": python_wrappers.make_set,
    "getattr": python_wrappers.bound_setter,
}
_MULTIARRAY = {
    "scalar": numpy_wrappers.array_scalar,
    "_reconstruct": numpy_wrappers.empty_array,
}
_NUMERIC = {"_frombuffer": numpy_wrappers.array_from_buffer}
_OLD_INSTANCE = {"_reconstructor": python_wrappers.instance_of_old_protocol}

_FUNCTIONS: dict[str, Mapping[str, Callable[[tuple[Any, ...]], Any]]] = {
    "torch._utils": {
        "_rebuild_tensor": torch_wrappers.tensor,
        "_rebuild_tensor_v2": torch_wrappers.tensor,
        "_rebuild_tensor_v3": torch_wrappers.typed_tensor,
        "_rebuild_parameter": torch_wrappers.parameter,
    },
    "torch": {"Size": torch_wrappers.make_size, "device": python_wrappers.opaque},
    "torch.storage": {"_load_from_bytes": torch_wrappers.storage},
    # Pickles of torch before 1.3 keep a table of functions in every module.
    "torch.nn.backends.thnn": {"_get_thnn_function_backend": python_wrappers.opaque},
    "torch_utils.persistence": {"_reconstruct_persistent_obj": torch_wrappers.persistent_object},
    "numpy": {"dtype": numpy_wrappers.make_dtype},
    "numpy.core.multiarray": _MULTIARRAY,
    "numpy._core.multiarray": _MULTIARRAY,
    "numpy.core.numeric": _NUMERIC,
    "numpy._core.numeric": _NUMERIC,
    "builtins": _BUILTINS,
    "__builtin__": _BUILTINS,
    "_codecs": {"encode": python_wrappers.encode_text},
    "copyreg": _OLD_INSTANCE,
    "copy_reg": _OLD_INSTANCE,
    "dill._dill": {
        "_create_array": numpy_wrappers.pickled_array,
        "_load_type": _load_type,
        # StyleGAN-XL's discriminator has hooks and methods that dill takes apart; nothing of them
        # is put together again.
        "_create_function": python_wrappers.opaque,
        "_create_code": python_wrappers.opaque,
        "_create_cell": python_wrappers.opaque,
    },
}
"""Module to its functions and what takes their place."""

_NAMES = {"numpy": "ndarray", "builtins": "object dict", "__builtin__": "object dict"} | {
    "torch": " ".join(TORCH_DTYPES)
}
"""Module to what is named in it and neither called nor made."""


def _symbols() -> Iterator[Symbol]:
    for module, functions in _FUNCTIONS.items():
        for name, apply in functions.items():
            yield Symbol(module, name, apply=apply)
    for module, name in _pairs(CLASS_NAMES):
        yield Symbol(module, name, create=lambda symbol: Record(str(symbol)))
    for module, name in _pairs(DICT_CLASSES):
        yield Symbol(module, name, create=python_wrappers.empty_dict)
    for module, name in _pairs(IGNORED_CLASSES):
        yield Symbol(module, name, apply=python_wrappers.empty_dict)
    for module, name in _pairs(_NAMES):
        yield Symbol(module, name)
    for path in STORAGE_DTYPES:
        module, _, name = path.rpartition(".")
        yield Symbol(module, name)


def _pairs(names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for module, listed in names.items():
        for name in listed.split():
            yield module, name


SYMBOLS = {(symbol.module, symbol.name): symbol for symbol in _symbols()}
