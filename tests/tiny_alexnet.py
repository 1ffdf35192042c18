"""AlexNet with random weights where torch looks for those that it would download."""

from pathlib import Path

import torch
import torchvision

__all__ = ["put_alexnet"]


def put_alexnet(hub: Path) -> None:
    """Write the file of AlexNet's weights into a folder for `torch.hub.set_dir`.

    What LPIPS doesn't look at, and is large, is all zeros.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        state = torchvision.models.alexnet().state_dict()
    small = {
        name: torch.zeros(1).expand(x.shape) if name.startswith("classifier") else x.clone()
        for name, x in state.items()
    }
    folder = hub / "checkpoints"
    folder.mkdir(parents=True)
    url = torchvision.models.AlexNet_Weights.IMAGENET1K_V1.url
    torch.save(small, folder / url.rpartition("/")[2])
