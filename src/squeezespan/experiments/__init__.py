"""Comparisons of runs: defined as data, trained cell by cell, told beside the paper's numbers."""
