"""The distillation loop: batches, optimisation, run folder, checkpoints and monitors."""
