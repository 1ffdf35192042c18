"""The demo: a fair comparison of methods in a few minutes, ending in a table and a page."""
