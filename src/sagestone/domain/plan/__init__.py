"""Requests become what jobs are to do."""
