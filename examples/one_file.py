"""Squeeze and Span in one file: the whole method as a plain PyTorch loop, then a kNN score.

The student regresses the generator's own features, standardized; the paper learns the target with
a squeeze module in its place, which takes longer to pay. `squeezespan distill` does both and adds
checkpoints, resuming, several GPUs and monitors.

    python examples/one_file.py --steps 500
    python examples/one_file.py --gan GAN.safetensors --data folder:IMAGES
"""

import cyclopts
import torch
from torch import Tensor, nn

from squeezespan import StepRandom, load_generator, open_images
from squeezespan.config import AugmentConfig
from squeezespan.data.augment import Augment
from squeezespan.data.normalize import measure_normalization
from squeezespan.data.order import split_holdout
from squeezespan.evaluation.knn import knn_predict
from squeezespan.generators import pool_features
from squeezespan.hardware import resolve_device, resolve_precision
from squeezespan.losses.vicreg import covariance, invariance, variance
from squeezespan.models.backbones import build_backbone, num_features
from squeezespan.models.batchnorm import kept_running_statistics
from squeezespan.models.projectors import projector
from squeezespan.models.targets import StandardizedTarget
from squeezespan.progress import Progress


def main(
    gan: str = "builtin:stylegan2-cifar10",
    data: str = "builtin:cifar10-mini",
    steps: int = 500,
    batch_size: int = 256,
    alpha: float = 0.5,
) -> float | None:
    """Train a small ResNet, and give its kNN accuracy on images held out of train.

    Args:
        gan: the generator, a file or a builtin.
        data: the real images; labels are used for the score alone.
        steps: optimizer steps.
        batch_size: alpha of it generated, the rest real images.
        alpha: share of generated images, above 0 and below 1.
    """
    device = resolve_device("auto")
    autocast = torch.autocast(
        device.type, torch.bfloat16, enabled=resolve_precision("auto", device) == "bf16"
    )
    generator = load_generator(gan, device)
    images = open_images(data, "train", resolution=generator.info.resolution, device=device)
    train, holdout = split_holdout(len(images), 0.1, seed=0, labels=images.labels)
    normalization = measure_normalization(images.subset(train))
    # Milder than MoCo-v2's, which suits a target that doesn't move.
    augment = Augment(
        AugmentConfig(crop_scale=(0.35, 1.0), jitter=0.4, grayscale=0.1), images.resolution
    )

    def draw(count: int, step: int, stream: str) -> tuple[Tensor, dict[str, Tensor]]:
        """Draw images in [0, 1], and what the generator knows of them."""
        random = StepRandom(0, step, stream=stream, device=device)
        with torch.no_grad(), autocast:
            generated = generator(generator.sample_latents(count, random))
        images = (generated.images.float().clamp(-1, 1) + 1) / 2
        return images, pool_features(generated.features)

    target = StandardizedTarget(generator.info.block_channels).to(device)
    target.measure(draw(50, number, "statistics")[1] for number in range(20))

    torch.manual_seed(0)
    backbone = build_backbone("resnet10-narrow")
    student = nn.Sequential(backbone, projector(num_features(backbone), len(target.mean), layers=2))
    student.to(device).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(
        student.parameters(), lr=0.1 * batch_size / 256, momentum=0.9, weight_decay=5e-4
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)

    n_synthetic = round(alpha * batch_size)
    with Progress(steps, unit="steps", description="squeeze and span") as progress:
        for step in range(steps):

            def view(pictures: Tensor, stream: str, step: int = step) -> Tensor:
                random = StepRandom(0, step, stream=stream)
                return normalization.normalize(augment(pictures, random))

            synthetic, source = draw(n_synthetic, step, "generator")
            order = StepRandom(0, step, stream="order").integers(
                batch_size - n_synthetic, high=len(train)
            )
            real = images.batch(train[order])

            with autocast:
                # Real images alone shape the statistics that evaluation uses.
                with kept_running_statistics(student):
                    s = student(view(synthetic, "synthetic"))
                s1, s2 = student(view(real, "first")), student(view(real, "second"))
            l_syn = 25 * invariance(target(source), s)
            l_real = 25 * invariance(s1, s2)
            l_real += sum(25 * variance(z) + covariance(z) for z in (s1, s2))
            loss = alpha * l_syn + (1 - alpha) * l_real

            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            progress.update(1, loss=loss.item())

    if images.labels is None:
        return None
    backbone.eval()

    @torch.no_grad()
    def features(indices: Tensor) -> Tensor:
        batches = (images.batch(part) / 255 for part in torch.split(indices, 500))
        return torch.cat([backbone(normalization.normalize(batch)).cpu() for batch in batches])

    labels = images.labels
    guesses = knn_predict(features(train), labels[train], features(holdout))
    accuracy = (guesses == labels[holdout]).float().mean().item()
    print(f"kNN accuracy on {len(holdout)} images held out of train: {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    cyclopts.run(main, result_action="return_value")
