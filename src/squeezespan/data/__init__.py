"""Images: where they come from, in which order they go, and random views of them."""
