"""A pickle machine that can only make plain data and inert records."""
