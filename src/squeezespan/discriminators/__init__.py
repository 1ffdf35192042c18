"""Discriminators, and the features that they offer."""
