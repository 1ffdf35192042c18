"""Two processes with half the batch each train as one process with the whole."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from tiny_methods import make_batch, make_method, shake
from torch import Tensor, nn
from torch.multiprocessing.spawn import spawn
from torch.nn.parallel import DistributedDataParallel

from squeezespan.methods.base import Batch, Method
from squeezespan.models.batchnorm import convert_sync_batchnorm

VIEWS = 3
CASES: dict[str, dict[str, Any]] = {
    "squeeze-span": {"alpha": 0.5, "regularize": "both"},
    "standardized target": {"alpha": 0.5, "target": "standardized"},
    "a discriminator that teaches": {"alpha": 0.5, "judged": True},
    "vanilla": {"alpha": 1.0, "target": "raw"},
    "vicreg": {"name": "vicreg", "alpha": 0.5},
    "vicreg, streams apart": {"name": "vicreg", "alpha": 0.25, "mixture": "separate"},
    "simsiam": {"name": "simsiam", "alpha": 0.5},
    "emp-ssl": {"name": "emp-ssl", "alpha": 0.5, "patches": VIEWS},
    "activated batch norm": {
        "name": "vicreg",
        "alpha": 0.0,
        "arch": "test_efficientnet",
        "stem": "imagenet",
    },
}


def build(settings: dict[str, Any]) -> Method:
    method = make_method(**settings)
    shake(method)
    method.double()
    return method


def whole_batch() -> Batch:
    return make_batch(dtype=torch.float64, views=VIEWS)


def share(batch: Batch, rank: int) -> Batch:
    def half(x: Tensor) -> Tensor:
        return x.chunk(2)[rank]

    assert batch.real_views is not None
    assert batch.synthetic_views is not None
    assert batch.source is not None
    assert batch.real_source is not None
    return Batch(
        real_views=tuple(half(view) for view in batch.real_views),
        synthetic_views=tuple(half(view) for view in batch.synthetic_views),
        source={name: half(x) for name, x in batch.source.items()},
        real_source={name: half(x) for name, x in batch.real_source.items()},
    )


def outcome(method: Method, run: nn.Module, batch: Batch) -> dict[str, Tensor]:
    losses = run(batch)
    losses["loss"].backward()
    numbers = {f"loss {name}": loss.detach() for name, loss in losses.items()}
    for name, parameter in method.named_parameters():
        assert parameter.grad is not None, name
        numbers[f"gradient of {name}"] = parameter.grad
    return numbers | {f"buffer {name}": buffer for name, buffer in method.named_buffers()}


def work(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    results = {}
    for case, settings in CASES.items():
        method = build(settings)
        convert_sync_batchnorm(method)
        parallel = DistributedDataParallel(method)
        results[case] = outcome(method, parallel, share(whole_batch(), rank))
    torch.save(results, Path(folder) / f"{rank}.pt")
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, dict[str, Tensor]]]:
    folder = tmp_path_factory.mktemp("two")
    spawn(work, (str(folder),), nprocs=2)  # type: ignore[no-untyped-call]
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(2)]


@pytest.mark.parametrize("case", CASES)
def test_losses_gradients_and_statistics_are_the_whole_batchs(
    case: str, halves: list[dict[str, dict[str, Tensor]]]
) -> None:
    method = build(CASES[case])
    whole = outcome(method, method, whole_batch())
    for half in halves:
        assert half[case].keys() == whole.keys()
        for name, expected in whole.items():
            torch.testing.assert_close(
                half[case][name],
                expected,
                rtol=1e-7,
                atol=1e-9,
                msg=partial("{}: {}".format, name),
            )
