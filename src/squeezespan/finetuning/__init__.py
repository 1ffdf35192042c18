"""Fine-tuning a trained backbone on labelled images: the head first, then the whole network."""
