"""6 train: trainer environment, trainer YAML, mlagents-learn, progress, resume."""
