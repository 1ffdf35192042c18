"""Pickles that name what would run if Python's own unpickler read them."""

import os
import pickle
from pathlib import Path
from typing import Any

import torch
from untrusted.content import Call, Canary, Maker, blob, call, glob, number, program, text

_Arguments = tuple[bytes, ...]


def _calls(canary: Canary) -> dict[str, tuple[str, str, _Arguments]]:
    """Function by function: module, name and arguments of one call."""
    command, source = text(canary.command), text(canary.source)
    inner = blob(pickle.dumps(Call(os.system, canary.command)))
    shell = text("/bin/sh") + text("-c") + command + pickle.TUPLE3
    place = text(str(canary.path))
    return {
        "os.system": ("os", "system", (command,)),
        "posix.system": ("posix", "system", (command,)),
        "nt.system": ("nt", "system", (command,)),
        "os.popen": ("os", "popen", (command,)),
        "os.execv": ("os", "execv", (text("/bin/sh"), shell)),
        "posix._posixsubprocess": ("_posixsubprocess", "fork_exec", (shell,)),
        "subprocess.Popen": ("subprocess", "Popen", (shell,)),
        "subprocess.getoutput": ("subprocess", "getoutput", (command,)),
        "pty.spawn": ("pty", "spawn", (shell,)),
        "builtins.eval": ("builtins", "eval", (source,)),
        "builtins.exec": ("builtins", "exec", (source,)),
        "__builtin__.eval": ("__builtin__", "eval", (source,)),
        "builtins.compile": ("builtins", "compile", (source, text("x"), text("exec"))),
        "builtins.__import__": ("builtins", "__import__", (text("antigravity"),)),
        "builtins.open": ("builtins", "open", (place, text("w"))),
        "io.open": ("io", "open", (place, text("w"))),
        "_io.FileIO": ("_io", "FileIO", (place, text("w"))),
        "builtins.breakpoint": ("builtins", "breakpoint", ()),
        "builtins.input": ("builtins", "input", ()),
        "importlib.import_module": ("importlib", "import_module", (text("antigravity"),)),
        "runpy.run_path": ("runpy", "run_path", (place,)),
        "timeit.timeit": ("timeit", "timeit", (source,)),
        "cProfile.run": ("cProfile", "run", (source,)),
        "pdb.run": ("pdb", "run", (source,)),
        "code.interact": ("code", "interact", ()),
        "ctypes.CDLL": ("ctypes", "CDLL", (text("libc.so.6"),)),
        "marshal.loads": ("marshal", "loads", (inner,)),
        "pickle.loads": ("pickle", "loads", (inner,)),
        "_pickle.loads": ("_pickle", "loads", (inner,)),
        "dill.loads": ("dill", "loads", (inner,)),
        "dill._dill.loads": ("dill._dill", "loads", (inner,)),
        "dill._dill._eval_repr": ("dill._dill", "_eval_repr", (source,)),
        "dill._dill._import_module": ("dill._dill", "_import_module", (text("antigravity"),)),
        "dill._dill._get_attr": ("dill._dill", "_get_attr", (glob("dill", "_dill"), text("os"))),
        "dill._dill._load_type of another": ("dill._dill", "_load_type", (text("Popen"),)),
        "cloudpickle.loads": ("cloudpickle", "loads", (inner,)),
        "joblib.load": ("joblib", "load", (place,)),
        "operator.methodcaller": ("operator", "methodcaller", (text("system"), command)),
        "operator.attrgetter": ("operator", "attrgetter", (text("system"),)),
        "functools.partial": ("functools", "partial", (glob("os", "system"), command)),
        "functools.reduce": ("functools", "reduce", (glob("os", "system"), shell)),
        "builtins.map": ("builtins", "map", (glob("os", "system"), shell)),
        "copyreg.add_extension": ("copyreg", "add_extension", (text("os"), text("system"))),
        "types.FunctionType": ("types", "FunctionType", (inner,)),
        "socket.create_connection": ("socket", "create_connection", (shell,)),
        "urllib.request.urlopen": ("urllib.request", "urlopen", (text("http://127.0.0.1:9"),)),
        "shutil.rmtree": ("shutil", "rmtree", (place,)),
        "pathlib.Path.write_text": ("pathlib", "Path.write_text", (place, source)),
        "webbrowser.open": ("webbrowser", "open", (text("file:///dev/null"),)),
        "logging.config.fileConfig": ("logging.config", "fileConfig", (place,)),
        "numpy.load": ("numpy", "load", (place,)),
        "numpy.testing runstring": (
            "numpy.testing._private.utils",
            "runstring",
            (source, pickle.EMPTY_DICT),
        ),
        "numpy.f2py crackfortran": ("numpy.f2py.crackfortran", "getlincoef", (source, shell)),
        "torch.load": ("torch", "load", (place,)),
        "torch.serialization.load": ("torch.serialization", "load", (place,)),
        "torch.hub.load": ("torch.hub", "load", (text("user/repository"), text("model"))),
        "torch.jit.load": ("torch.jit", "load", (place,)),
        "torch.utils.cpp_extension": ("torch.utils.cpp_extension", "load_inline", (source,)),
        "torch._utils._import_dotted_name": (
            "torch._utils",
            "_import_dotted_name",
            (text("os.system"),),
        ),
        "torch._tensor._rebuild_from_type_v2": (
            "torch._tensor",
            "_rebuild_from_type_v2",
            (glob("os", "system"), glob("os", "system"), command, pickle.EMPTY_DICT),
        ),
        "torch.compile": ("torch", "compile", (source,)),
        "persistence.import_hook": ("torch_utils.persistence", "import_hook", (source,)),
        "persistence._src_to_module": ("torch_utils.persistence", "_src_to_module", (source,)),
        "dnnlib.util.call_func_by_name": (
            "dnnlib.util",
            "call_func_by_name",
            (text("os.system"), command),
        ),
        "dnnlib.util.get_obj_by_name": ("dnnlib.util", "get_obj_by_name", (text("os.system"),)),
        "dnnlib.util.open_url": ("dnnlib.util", "open_url", (text("http://127.0.0.1:9"),)),
        "tensorflow.py_func": ("tensorflow", "py_function", (glob("os", "system"), shell)),
        # What published scanners of pickles let pass in 2026.
        "torch bottleneck run_cprofile": (
            "torch.utils.bottleneck.__main__",
            "run_cprofile",
            (source, pickle.EMPTY_DICT),
        ),
        "torch bottleneck run_autograd_prof": (
            "torch.utils.bottleneck.__main__",
            "run_autograd_prof",
            (source, pickle.EMPTY_DICT),
        ),
        "torch GuardBuilder.get": (
            "torch._dynamo.guards",
            "GuardBuilder.get",
            (pickle.EMPTY_DICT, source),
        ),
        "torch load_config": (
            "torch.utils._config_module",
            "load_config",
            (inner,),
        ),
        "torch execWrapper": (
            "torch.jit.unsupported_tensor_ops",
            "execWrapper",
            (source, pickle.EMPTY_DICT, pickle.EMPTY_DICT),
        ),
        "torch basichandlers": (
            "torch.utils.data.datapipes.utils.decoder",
            "basichandlers",
            (text("pickle"), inner),
        ),
        "idlelib Executive.runcode": (
            "idlelib.run",
            "Executive.runcode",
            (pickle.EMPTY_DICT, source),
        ),
        "unknown.module": ("no_such_module", "anything", (command,)),
    }


_NAMES = list(_calls(Canary(Path("canary"))))


def _by_name(name: str) -> Maker:
    def make(canary: Canary) -> bytes:
        module, function, arguments = _calls(canary)[name]
        return program(call(glob(module, function), *arguments))

    return make


def _natural(protocol: int) -> Maker:
    return lambda canary: pickle.dumps(Call(os.system, canary.command), protocol)


def _inside(value: Any, protocol: int = 2) -> Maker:
    """A hostile object where a snapshot's options would be."""
    return lambda canary: pickle.dumps(
        {"G_ema": None, "training_set_kwargs": {"path": value(canary)}}, protocol
    )


def _getattr_chain(canary: Canary) -> bytes:
    loader = call(glob("builtins", "getattr"), glob("builtins", "object"), text("__class__"))
    found = call(glob("builtins", "getattr"), loader, text("__subclasses__"))
    return program(call(found, text(canary.command)))


def _setattr_of_dill(canary: Canary) -> bytes:
    """The one use of getattr that dill makes, on something else."""
    setter = call(
        glob("builtins", "getattr"),
        glob("dill", "_dill"),
        text("_setattr"),
        glob("builtins", "setattr"),
    )
    return program(call(setter, glob("torch", "float32"), text("x"), text(canary.command)))


def _globals_of_a_known_name(canary: Canary) -> bytes:
    functions = glob("collections", "OrderedDict.__init__.__globals__")
    return program(functions, text(canary.command), pickle.TUPLE1, pickle.REDUCE)


def _function_of_dill(canary: Canary) -> bytes:
    """A whole function taken apart, then called."""
    code = call(glob("dill._dill", "_create_code"), number(0), text(canary.source))
    function = call(glob("dill._dill", "_create_function"), code, pickle.EMPTY_DICT)
    return program(call(function, text(canary.command)))


def _called_twice(canary: Canary) -> bytes:
    """Calling what a known class's instance would be."""
    known = glob("collections", "OrderedDict") + pickle.EMPTY_TUPLE + pickle.REDUCE
    return program(call(known, text(canary.command)))


CALLS: dict[str, Maker] = {
    **{name: _by_name(name) for name in _NAMES},
    **{f"os.system, protocol {protocol}": _natural(protocol) for protocol in range(6)},
    "os.system among options": _inside(lambda canary: Call(os.system, canary.command)),
    "eval among options, protocol 0": _inside(lambda canary: Call(eval, canary.source), 0),
    "torch.load among options": _inside(lambda canary: Call(torch.load, str(canary.path))),
    "getattr chain": _getattr_chain,
    "dill's setattr on another object": _setattr_of_dill,
    "globals of a known name": _globals_of_a_known_name,
    "function of dill": _function_of_dill,
    "call of an instance": _called_twice,
}
