"""The resolution that a GAN is trained at."""

__all__ = ["LARGEST", "SMALLEST", "fitting_resolution"]

SMALLEST, LARGEST = 8, 1024


def fitting_resolution(side: int) -> int:
    """Give the largest power of two within images of a side, 8 to 1024 pixels."""
    return int(2 ** (min(max(side, SMALLEST), LARGEST).bit_length() - 1))
