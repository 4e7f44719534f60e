"""Finished runs and versions, told to MLflow and to Weights and Biases."""
