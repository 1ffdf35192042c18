"""Fixtures of the tests of GAN training."""

from run_fixtures import server

__all__ = ["server"]
