"""Checkpoints: a directory kept in S3 while a job runs."""
