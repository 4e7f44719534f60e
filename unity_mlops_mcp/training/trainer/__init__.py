"""The trainer environment: found, made, described, checked."""
