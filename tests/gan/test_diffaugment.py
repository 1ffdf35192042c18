"""DiffAugment image by image, as Zhao et al. 2020 define it, in NumPy."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from squeezespan.gan.diffaugment import diff_augment
from squeezespan.randomness import StepRandom

_IMAGES = 200


def recolor(
    image: NDArray[np.float64], brightness: float, saturation: float, contrast: float
) -> None:
    """Change an image [3, S, S] in place; all three are drawn from [0, 1)."""
    image += brightness - 0.5
    grey = image.mean(axis=0)
    image[:] = (image - grey) * 2 * saturation + grey
    image[:] = (image - image.mean()) * (contrast + 0.5) + image.mean()


def shifted(image: NDArray[np.float64], down: int, right: int) -> NDArray[np.float64]:
    """Move an image, with zeros where nothing is."""
    side = image.shape[-1]
    wide = np.pad(image, ((0, 0), (side, side), (side, side)))
    return wide[:, side + down : 2 * side + down, side + right : 2 * side + right].copy()


@pytest.mark.parametrize(("side", "reach", "hole"), [(20, 3, 4), (16, 2, 3)])
def test_images_are_recoloured_shifted_and_cut_as_published(
    side: int, reach: int, hole: int
) -> None:
    """An eighth of the side is how far they move, a fifth the hole's side, both rounded."""
    images = torch.rand(_IMAGES, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    random = StepRandom(4)
    colours = [random.uniform(_IMAGES).tolist() for _ in range(3)]
    moves = [(random.integers(_IMAGES, high=2 * reach + 1) - reach).tolist() for _ in range(2)]
    # A hole may lie half outside; one of even side has one place more.
    places = side + 1 - hole % 2
    corners = [(random.integers(_IMAGES, high=places) - hole // 2).tolist() for _ in range(2)]
    augmented = diff_augment(images, StepRandom(4)).double().numpy()
    for number, image in enumerate(images.double().numpy()):
        recolor(image, *(drawn[number] for drawn in colours))
        expected = shifted(image, *(drawn[number] for drawn in moves))
        top, left = (drawn[number] for drawn in corners)
        expected[:, max(top, 0) : top + hole, max(left, 0) : left + hole] = 0
        np.testing.assert_allclose(augmented[number], expected, atol=1e-6)
    assert {-reach, reach} <= set(moves[0])
    assert {-(hole // 2), places - 1 - hole // 2} <= set(corners[1])


def test_gradients_reach_what_is_left_of_an_image() -> None:
    images = torch.zeros(8, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    augmented = diff_augment(images, StepRandom(0))
    (slope,) = torch.autograd.grad(augmented.sum(), images)
    # A sum is what recolouring leaves, but for its contrast; what moved out and the hole are lost.
    assert bool((slope.sum(dim=(1, 2, 3)) > 0).all())
