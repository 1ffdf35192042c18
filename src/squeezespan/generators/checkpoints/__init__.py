"""Reading and writing generators' files without running anything that they contain."""
