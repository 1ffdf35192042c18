"""The fixtures of trainings."""

from run_fixtures import config, data, gan, server, standardized

__all__ = ["config", "data", "gan", "server", "standardized"]
