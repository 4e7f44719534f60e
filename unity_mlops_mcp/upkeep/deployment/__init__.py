"""Kubernetes manifests from a settings file."""
