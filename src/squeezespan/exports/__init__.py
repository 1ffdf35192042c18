"""Students in the forms that other people's code opens."""
