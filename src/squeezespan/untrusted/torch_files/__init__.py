"""Files of `torch.save`, old and new."""
