"""Recorded experience: read from files, looked at, compared with a behaviour, and written as ML-Agents writes it."""
