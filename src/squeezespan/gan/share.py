"""What one process does of every global batch: its samples, in micro-batches, and their sum.

Losses and gradients are sums over samples, each with weight 1 / batch; so the sum over
micro-batches and processes is what one process gets from the undivided batch. Two things mix
samples: groups of the minibatch standard deviation, which stay whole, and the batch norms of a
projected discriminator's heads and of FastGAN, which are synchronised over processes and take no
micro-batches.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from squeezespan.errors import UserError
from squeezespan.gan.config import GanTrainConfig
from squeezespan.randomness import Rows

__all__ = ["Share", "path_length_batch"]

_PATH_LENGTH_SHRINK = 2


def path_length_batch(batch: int) -> int:
    """Images of the path-length term for a batch: it uses a smaller one (Karras et al. 2020)."""
    return max(batch // _PATH_LENGTH_SHRINK, 1)


@dataclass(frozen=True)
class Share:
    """The part of one process in the work on a batch; all of it where nothing else is said."""

    rank: int = 0
    world_size: int = 1
    micro_batch: int | None = None
    """Samples that are computed at once; None is all of this process's."""

    def check(self, config: GanTrainConfig) -> None:
        """See that a run's batches can be divided like this.

        Raises:
            UserError: the message names the flags.
        """
        batch, processes = config.train.batch_size, self.world_size
        own, rest = divmod(batch, processes)
        if rest:
            raise UserError(
                f"--batch-size {batch} can't be shared by {processes} processes; take a multiple "
                f"of {processes}"
            )
        micro = self.micro_batch or own
        is_projected = config.discriminator.family == "projected"
        if micro != own and (is_projected or config.aid.backbone is not None):
            whose = "a projected discriminator" if is_projected else "the heads of --aid.backbone"
            raise UserError(
                f"the batch norms of {whose} need whole batches: leave out --micro-batch"
            )
        if own % micro:
            raise UserError(
                f"--micro-batch {micro} doesn't divide the {own} images of each process "
                f"(--batch-size {batch} over {processes})"
            )
        if micro == batch or is_projected:
            return
        if config.loss.path_length_weight and path_length_batch(batch) < processes:
            raise UserError(
                f"the path-length term uses {path_length_batch(batch)} images, which {processes} "
                "processes can't share; raise --batch-size or set --loss.path-length-weight 0"
            )
        group = config.discriminator.mbstd_group_size
        if group is None or micro % min(group, batch):
            size = "the whole batch" if group is None else f"{group} images"
            raise UserError(
                f"{micro} images at a time can't keep the groups of the minibatch standard "
                f"deviation ({size}) whole; change --batch-size, --micro-batch or "
                "--discriminator.mbstd-group-size"
            )

    def grouped(self, batch: int, group: int | None) -> list[Rows]:
        """Give this process's micro-batches, in the order of the discriminator's groups.

        Of a batch of B, `minibatch_std` puts samples i, i + B/G, i + 2 B/G, ... into one group; the
        micro-batches hold whole groups, in an order that makes the same groups of them.

        Args:
            batch: samples of the global batch; `check` has passed.
            group: samples that share a standard deviation; None is all.
        """
        size = min(group or batch, batch)
        columns = torch.arange(batch).view(size, -1)
        own = columns.chunk(self.world_size, dim=1)[self.rank]
        count = batch // self.world_size // (self.micro_batch or batch) or 1
        return [Rows(part.flatten(), batch) for part in own.chunk(count, dim=1)]

    def plain(self, batch: int) -> list[Rows]:
        """Give this process's micro-batches where no sample depends on another."""
        own = torch.arange(batch).tensor_split(self.world_size)[self.rank]
        count = -(-len(own) // (self.micro_batch or batch))
        return [Rows(part, batch) for part in own.tensor_split(count)]

    def sum(self, own: Tensor) -> Tensor:
        """Add a detached tensor up over all processes, in place."""
        if self.world_size > 1:
            dist.all_reduce(own)
        return own

    def sum_gradients(self, network: nn.Module) -> list[Tensor]:
        """Add a network's gradients up over all processes, in place, and give them.

        The same parameters have gradients on all processes.
        """
        gradients = [x.grad for x in network.parameters() if x.grad is not None]
        if self.world_size > 1 and gradients:
            total = self.sum(torch.cat([gradient.flatten() for gradient in gradients]))
            begin = 0
            for gradient in gradients:
                end = begin + gradient.numel()
                gradient.copy_(total[begin:end].view_as(gradient))
                begin = end
        return gradients

    def sum_numbers(self, own: Iterable[tuple[str, Tensor]]) -> dict[str, Tensor]:
        """Add named scalars up over all processes; every process names the same ones."""
        numbers = dict(own)
        totals = self.sum(torch.stack(list(numbers.values())))
        return {name: totals[i] for i, name in enumerate(numbers)}
