"""Ways to train a backbone: from the batch of one step to named losses."""
