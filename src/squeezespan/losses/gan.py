"""Losses of GAN training: logistic, relativistic and hinge loss, R1, R2 and path lengths."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = [
    "discriminator_hinge",
    "discriminator_logistic",
    "discriminator_relativistic",
    "generator_hinge",
    "generator_nonsaturating",
    "generator_relativistic",
    "path_lengths",
    "r1_penalty",
]


def generator_nonsaturating(fake_logits: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(G(z))) (Goodfellow et al. 2014); logits [B, 1], gives a scalar."""
    return F.softplus(-fake_logits).mean()


def discriminator_logistic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z)))); logits [B, 1], gives a scalar."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def generator_relativistic(fake_logits: Tensor, real_logits: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(G(z)) - D(x)) over pairs (Jolicoeur-Martineau 2019; R3GAN 2024).

    Args:
        fake_logits: [B, 1].
        real_logits: of the images that they are paired with, [B, 1].
    """
    return F.softplus(real_logits - fake_logits).mean()


def discriminator_relativistic(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(x) - D(G(z))) over pairs; arguments as `generator_relativistic`."""
    return F.softplus(fake_logits - real_logits).mean()


def generator_hinge(fake_logits: Tensor) -> Tensor:
    """Mean of -D(G(z)) (Lim and Ye 2017); logits of any shape, gives a scalar."""
    return -fake_logits.mean()


def discriminator_hinge(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean of max(0, 1 - D(x)) + max(0, 1 + D(G(z))); logits of any shape, gives a scalar."""
    return F.relu(1 - real_logits).mean() + F.relu(1 + fake_logits).mean()


def r1_penalty(images: Tensor, logits: Tensor) -> Tensor:
    """Squared gradient norm of D at images (Mescheder et al. 2018), mean over the batch.

    At real images it is R1, at generated ones R2.

    Args:
        images: [B, C, H, W] that `logits` were computed from, requiring gradients.
        logits: [B, 1].
    """
    (gradient,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def path_lengths(images: Tensor, ws: Tensor, noise: Tensor) -> Tensor:
    """Norm of the gradient of (images * noise) with respect to w (Karras et al. 2020), [B].

    Args:
        images: generated from `ws`, [B, C, H, W].
        ws: [B, num_ws, w_dim], requiring gradients.
        noise: standard normal, [B, C, H, W].
    """
    scaled = noise / math.sqrt(images.shape[2] * images.shape[3])
    (gradient,) = torch.autograd.grad((images * scaled).sum(), ws, create_graph=True)
    return gradient.square().sum(dim=2).mean(dim=1).sqrt()
