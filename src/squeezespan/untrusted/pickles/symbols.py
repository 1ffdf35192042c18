"""The globals that mean something in a checkpoint's pickle: an exact list of modules and names.

Any other name of a class stands for itself: its instances are inert records that say so, and calls
of it are refused.
"""

from typing import Any

from squeezespan.untrusted.pickles import (
    numpy_wrappers,
    python_wrappers,
    torch_wrappers,
)
from squeezespan.untrusted.pickles.class_names import (
    CLASS_NAMES,
    DICT_CLASSES,
    IGNORED_CLASSES,
    STORAGE_DTYPES,
    TORCH_DTYPES,
)
from squeezespan.untrusted.pickles.cursor import MalformedError
from squeezespan.untrusted.pickles.values import NamedDict, Record, Symbol

__all__ = ["SYMBOLS", "unknown_class"]

_BUILTINS = ("builtins", "__builtin__")
_NUMPY_CORES = ("numpy.core", "numpy._core")
_TYPES_OF_DILL = (
    *("object", "type", "int", "float", "bool", "complex", "str", "bytes", "bytearray"),
    *("list", "tuple", "dict", "set", "frozenset", "slice", "range", "NoneType"),
    *("FunctionType", "LambdaType", "CodeType", "CellType", "MethodType"),
    *("BuiltinFunctionType", "ModuleType"),
)


def unknown_class(module: str, name: str) -> Symbol:
    """Give what stands for a class that is not in the list."""
    return Symbol(module, name, create=_unknown, is_known=False)


def _record(symbol: Symbol) -> Record:
    return Record(str(symbol))


def _unknown(symbol: Symbol) -> Record:
    return Record(str(symbol), is_known=False)


def _dict(_: Symbol) -> NamedDict:
    return NamedDict()


def _ignored(_: tuple[Any, ...], __: Any) -> NamedDict:
    return NamedDict()


def _load_type(arguments: tuple[Any, ...], _: Any) -> Symbol:
    """`dill._dill._load_type`: the types are known by name and nothing is made of most."""
    if len(arguments) == 1 and type(arguments[0]) is str and arguments[0] in _TYPES:
        return _TYPES[arguments[0]]
    raise MalformedError("it asks dill for an unknown type")


def _symbols(*entries: Symbol) -> dict[tuple[str, str], Symbol]:
    return {(entry.module, entry.name): entry for entry in entries}


_TYPES = {
    name: Symbol(
        "builtins",
        name,
        apply=python_wrappers.make_set if name == "set" else python_wrappers.opaque,
    )
    for name in _TYPES_OF_DILL
}

SYMBOLS = _symbols(
    Symbol("torch._utils", "_rebuild_tensor", apply=torch_wrappers.tensor),
    Symbol("torch._utils", "_rebuild_tensor_v2", apply=torch_wrappers.tensor),
    Symbol("torch._utils", "_rebuild_tensor_v3", apply=torch_wrappers.typed_tensor),
    Symbol("torch._utils", "_rebuild_parameter", apply=torch_wrappers.parameter),
    Symbol("torch", "Size", apply=torch_wrappers.make_size),
    Symbol("torch", "device", apply=python_wrappers.opaque),
    *(Symbol("torch", name) for name in TORCH_DTYPES),
    Symbol("_codecs", "encode", apply=python_wrappers.encode_text),
    Symbol("numpy", "dtype", apply=numpy_wrappers.make_dtype),
    Symbol("numpy", "ndarray"),
    *(
        symbol
        for core in _NUMPY_CORES
        for symbol in (
            Symbol(f"{core}.multiarray", "scalar", apply=numpy_wrappers.array_scalar),
            Symbol(f"{core}.multiarray", "_reconstruct", apply=numpy_wrappers.empty_array),
            Symbol(f"{core}.numeric", "_frombuffer", apply=numpy_wrappers.array_from_buffer),
        )
    ),
    *(
        symbol
        for builtins in _BUILTINS
        for symbol in (
            Symbol(builtins, "set", apply=python_wrappers.make_set),
            Symbol(builtins, "object"),
            Symbol(builtins, "dict"),
        )
    ),
    *(
        Symbol(module, "_reconstructor", apply=python_wrappers.instance_of_old_protocol)
        for module in ("copyreg", "copy_reg")
    ),
    Symbol(
        "torch_utils.persistence",
        "_reconstruct_persistent_obj",
        apply=torch_wrappers.persistent_object,
    ),
    Symbol("torch.storage", "_load_from_bytes", apply=torch_wrappers.storage),
    # Pickles of torch before 1.3 keep a table of functions in every module.
    Symbol("torch.nn.backends.thnn", "_get_thnn_function_backend", apply=python_wrappers.opaque),
    Symbol("dill._dill", "_create_array", apply=numpy_wrappers.pickled_array),
    Symbol("dill._dill", "_load_type", apply=_load_type),
    # StyleGAN-XL's discriminator has hooks and methods that dill takes apart; nothing of them is
    # put together again.
    *(
        Symbol("dill._dill", name, apply=python_wrappers.opaque)
        for name in ("_create_function", "_create_code", "_create_cell")
    ),
    *(Symbol(x, "getattr", apply=python_wrappers.bound_setter) for x in _BUILTINS),
    *(
        Symbol(module, name, create=_record)
        for module, names in CLASS_NAMES.items()
        for name in names.split()
    ),
    *(
        Symbol(module, name, create=_dict)
        for module, names in DICT_CLASSES.items()
        for name in names.split()
    ),
    *(
        Symbol(module, name, apply=_ignored)
        for module, names in IGNORED_CLASSES.items()
        for name in names.split()
    ),
    *(Symbol(module, name) for module, _, name in (x.rpartition(".") for x in STORAGE_DTYPES)),
)
