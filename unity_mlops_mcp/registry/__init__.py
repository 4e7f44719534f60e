"""Versions of trained policies: kept, checked, named by aliases, promoted and taken back."""
