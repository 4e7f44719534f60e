"""Rows and folders as results: what a face shows of a job, a run, a build and an evaluation."""
