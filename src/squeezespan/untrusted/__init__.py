"""Bytes that nobody vouches for become inert data; nothing that they contain is run."""
