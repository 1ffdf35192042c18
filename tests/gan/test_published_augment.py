"""ADA's `bgc` pipeline restated from Appendix B of the paper in NumPy and SciPy (float64)."""

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial.transform import Rotation

from squeezespan.gan.augment import _warp, augment_bgc
from squeezespan.randomness import StepRandom

Array = NDArray[np.float64]
SYMLET6 = np.array([
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633,
    0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252,
    -0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148,
])  # fmt: skip
LOWPASS = SYMLET6 / SYMLET6.sum()


class Draws:
    """What the pipeline draws, in its order."""

    def __init__(self, n: int, seed: int) -> None:
        self.n, self.random = n, StepRandom(seed)

    def where(self, p: float, values: Array, neutral: float) -> Array:
        return np.where(self.uniform() < p, values, neutral)

    def uniform(self) -> Array:
        numbers: Array = self.random.uniform(self.n).double().numpy()
        return numbers

    def integer(self, p: float, options: int) -> Array:
        values = self.random.integers(self.n, high=options).double().numpy()
        return self.where(p, values, 0.0)

    def angle(self, p: float) -> Array:
        values = self.random.uniform(self.n, low=-math.pi, high=math.pi).double().numpy()
        return self.where(p, values, 0.0)

    def normal(self, p: float, std: float) -> Array:
        return self.where(p, std * self.random.normal(self.n).double().numpy(), 0.0)

    def factor(self, p: float, std: float) -> Array:
        return self.where(p, 2 ** (std * self.random.normal(self.n).double().numpy()), 1.0)

    def pair(self, p: float, kind: str, size: float) -> Array:
        chosen = self.uniform() < p
        if kind == "uniform":
            values = self.random.uniform(self.n, 2, low=-size, high=size)
        else:
            values = size * self.random.normal(self.n, 2)
        return np.where(chosen[:, None], values.double().numpy(), 0.0)


def scale(x: float, y: float) -> Array:
    return np.diag([x, y, 1.0])


def rotate(angle: float) -> Array:
    matrix = np.eye(3)
    matrix[:2, :2] = [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    return matrix


def translate(x: float, y: float) -> Array:
    matrix = np.eye(3)
    matrix[:2, 2] = x, y
    return matrix


def inverse_geometry(draws: Draws, p: float, side: int) -> list[Array]:
    """Pixel blitting and general geometric transformations, each as its inverse."""
    flips, turns = draws.integer(p, 2), draws.integer(p, 4)
    whole = np.round(draws.pair(p, "uniform", 0.125) * side)
    p_rot = 1 - math.sqrt(1 - p)
    zoom, before = draws.factor(p, 0.2), draws.angle(p_rot)
    stretch, after = draws.factor(p, 0.2), draws.angle(p_rot)
    fraction = draws.pair(p, "normal", 0.125) * side
    return [
        scale(1 - 2 * flips[i], 1)
        @ rotate(math.pi / 2 * turns[i])
        @ translate(-whole[i, 0], -whole[i, 1])
        @ scale(1 / zoom[i], 1 / zoom[i])
        @ rotate(before[i])
        @ scale(1 / stretch[i], stretch[i])
        @ rotate(after[i])
        @ translate(-fraction[i, 0], -fraction[i, 1])
        for i in range(draws.n)
    ]


def color(draws: Draws, p: float) -> list[tuple[Array, Array]]:
    """Colour transformations: a matrix and an offset for RGB in [-1, 1]."""
    brightness, contrast = draws.normal(p, 0.2), draws.factor(p, 0.5)
    luma_flip, hue, saturation = draws.integer(p, 2), draws.angle(p), draws.factor(p, 1.0)
    v = np.ones(3) / math.sqrt(3)
    found = []
    for i in range(draws.n):
        flip = np.eye(3) - 2 * luma_flip[i] * np.outer(v, v)
        turn = Rotation.from_rotvec(hue[i] * v).as_matrix()
        saturate = np.outer(v, v) + saturation[i] * (np.eye(3) - np.outer(v, v))
        matrix = saturate @ turn @ flip * contrast[i]
        found.append((matrix, matrix @ np.full(3, brightness[i])))
    return found


def doubling(length: int) -> Array:
    """The matrix that doubles an axis: zeros in between, then the low-pass filter, times 2."""
    matrix = np.zeros((2 * length, length))
    for source in range(length):
        for tap, weight in enumerate(LOWPASS):
            target = 2 * source + tap - 5
            if 0 <= target < 2 * length:
                matrix[target, source] += 2 * weight
    return matrix


def margin_of(inverse: Array, side: int) -> int:
    """How far an image is reflected: as far as its corners go, and six pixels for the filter."""
    half = (side - 1) / 2
    corners = [inverse @ [x, y, 1] for x in (-half, half) for y in (-half, half)]
    reach = max(abs(corner[:2]).max() for corner in corners)
    return int(np.clip(math.ceil(reach - half) + 6, 0, side - 1))


def warp(image: Array, inverse: Array, margin: int | None = None) -> Array:
    """Reflect, double, sample bilinearly, halve; positions are in pixels from the centre.

    Reflects by `margin` pixels, or as far as can be. A sample of the fine grid stands a quarter of
    a pixel later than its index says, because the filter is longer on one side.
    """
    side, border = image.shape[-1], 6
    out = side + 2 * border
    padded = np.pad(image, side - 1 if margin is None else margin, mode="reflect")
    fine = doubling(len(padded)) @ padded @ doubling(len(padded)).T
    position = (np.arange(2 * out) + 0.5 - out) / 2 + 0.25
    x, y = np.meshgrid(position, position)
    source = np.tensordot(inverse[:2], np.stack([x, y, np.ones_like(x)]), axes=1)
    index = 2 * (source - 0.25) + len(fine) / 2 - 0.5
    sampled = map_coordinates(fine, [index[1], index[0]], order=1, mode="grid-constant", cval=0.0)
    halved = doubling(out).T @ sampled @ doubling(out) / 4
    return np.asarray(halved[border:-border, border:-border])


def images(n: int, side: int) -> torch.Tensor:
    return torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1


@pytest.mark.parametrize(
    "inverse",
    [
        np.eye(3),
        translate(0.3, -1.7),
        rotate(0.4),
        scale(1.2, 0.8) @ rotate(-1.0) @ translate(2.0, 0.5),
        scale(0.6, 1.5) @ translate(-2.5, 1.0),
        scale(0.4, 0.3) @ translate(-0.5, 4.0),
        scale(0.1, 0.2),
        scale(1.54, 1.54),
    ],
)
def test_images_are_warped_as_published(inverse: Array) -> None:
    batch = images(2, 12).double()
    ours = _warp(batch, torch.tensor(inverse).expand(2, 3, 3))
    margin = margin_of(inverse, 12)
    for one, image in zip(ours, batch.numpy(), strict=True):
        for channel, pixels in zip(one, image, strict=True):
            np.testing.assert_allclose(channel, warp(pixels, inverse, margin), atol=1e-9)
            np.testing.assert_allclose(channel, warp(pixels, inverse), atol=2e-4)


@pytest.mark.parametrize("p", [0.3, 0.8, 1.0])
def test_images_are_augmented_as_published(p: float) -> None:
    n, side, seed = 24, 8, 3
    batch = images(n, side)
    draws = Draws(n, seed)
    geometry, colors = inverse_geometry(draws, p, side), color(draws, p)
    ours = augment_bgc(batch, p, StepRandom(seed)).double().numpy()
    compared = 0
    for i in range(n):
        reach = np.abs(geometry[i][:2] @ np.array([[7, -7, 7, -7], [7, 7, -7, -7], [2, 2, 2, 2]]))
        if reach.max() / 2 > 7:
            continue
        warped = np.stack([warp(plane, geometry[i]) for plane in batch[i].double().numpy()])
        matrix, offset = colors[i]
        expected = np.tensordot(matrix, warped, axes=1) + offset[:, None, None]
        np.testing.assert_allclose(ours[i], expected, atol=2e-3)
        compared += 1
    assert compared > n / 3
