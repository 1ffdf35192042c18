"""Loss functions, pure: from embeddings or logits to a scalar."""
