"""How good a backbone's features are: kNN, linear probe, logistic regression, few labels."""
