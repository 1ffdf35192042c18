"""Measuring and reporting, shared by the benchmarks."""
