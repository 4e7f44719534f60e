"""Runs under the trainer's interpreter: launcher, compatibility, speed."""
