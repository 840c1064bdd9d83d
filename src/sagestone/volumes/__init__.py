"""Volumes that are encrypted at rest: a file system in a file, mounted, under a key that only the kernel holds."""
