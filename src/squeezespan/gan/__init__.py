"""Training, sampling and scoring of GANs."""
