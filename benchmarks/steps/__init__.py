"""One squeeze-and-span training step: ours, and the same written the plain way."""
