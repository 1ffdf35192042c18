"""Which device and precision a name stands for."""

import pytest
import torch

from squeezespan.errors import UserError
from squeezespan.hardware import cpu_flags, cpu_name, resolve_device, resolve_precision

_CPU = torch.device("cpu")


def test_auto_takes_cuda_where_there_is_one() -> None:
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == _CPU


@pytest.mark.parametrize("name", ["gpu", "", "cuda:x", "meta"])
def test_unknown_device(name: str) -> None:
    with pytest.raises(UserError, match="give auto, cpu, cuda"):
        resolve_device(name)


def test_missing_gpu_is_told() -> None:
    missing = f"cuda:{torch.cuda.device_count()}" if torch.cuda.is_available() else "cuda"
    with pytest.raises(UserError, match=f"device {missing} is not available"):
        resolve_device(missing)


@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has MPS")
def test_missing_mps_is_told() -> None:
    with pytest.raises(UserError, match="mps is not available"):
        resolve_device("mps")


def test_auto_precision_on_a_cpu_follows_its_instructions() -> None:
    native = bool({"amx_bf16", "avx512_bf16"} & cpu_flags())
    assert resolve_precision("auto", _CPU) == ("bf16" if native else "fp32")


def test_given_precision_is_kept() -> None:
    assert resolve_precision("fp32", _CPU) == "fp32"
    assert resolve_precision("bf16", _CPU) == "bf16"


@pytest.mark.parametrize("name", ["fp16", "int8"])
def test_impossible_precision(name: str) -> None:
    with pytest.raises(UserError, match="precision"):
        resolve_precision(name, _CPU)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_precision_on_a_gpu() -> None:
    device = torch.device("cuda")
    modern = torch.cuda.get_device_capability(device)[0] >= 8
    assert resolve_precision("auto", device) == ("bf16" if modern else "fp32")
    assert resolve_precision("fp16", device) == "fp16"


def test_cpu_has_a_name() -> None:
    assert cpu_name()
