"""Batch transform's path of the data: objects are read and split, sent to the container, and its answers assembled."""
