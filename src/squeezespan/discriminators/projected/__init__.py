"""The projected discriminator: heads on mixed features of a frozen network (Sauer et al. 2021)."""
