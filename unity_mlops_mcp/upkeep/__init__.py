"""Keeping a home for long: backup and restore, mirror, prune, TensorBoard, deployment files."""
