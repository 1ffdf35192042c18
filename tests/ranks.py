"""Processes that train together, as torchrun would start them."""

import os
import socket
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

from squeezespan.errors import UserError

__all__ = ["run_as_ranks"]


def run_as_ranks(
    server: ForkServerContext, function: Callable[..., object], *arguments: Any
) -> list[int]:
    """Call a function on two processes at once, and give the exit codes of both."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    processes = [
        server.Process(target=_as_rank, args=(rank, port, function, arguments)) for rank in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    return [process.exitcode if process.exitcode is not None else -1 for process in processes]


def _as_rank(
    rank: int, port: int, function: Callable[..., object], arguments: tuple[Any, ...]
) -> None:
    os.environ |= {
        "TORCHELASTIC_RUN_ID": "test",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
    }
    try:
        function(*arguments)
    except UserError as error:
        sys.exit(f"refused: {error}")
