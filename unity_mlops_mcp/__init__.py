"""From one sentence to a trained, checked and versioned Unity ML-Agents policy."""

__version__ = "0.1.0"
